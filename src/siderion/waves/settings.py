"""Settings of the wave analysis: windows, spectra, criteria."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from siderion.jobs.settings import Settings

from .density_settings import DensityUncertainty, PlasmaSettings


class WindowSettings(Settings):
    """Windows that slide over the series, and the segments they are made of."""

    shortest: float = Field(100.0, gt=0, description="shortest window, s; longer where the species needs longer segments")
    step: float = Field(50.0, gt=0, description="distance of the window centres, s; rounded to a power of two of samples")
    periods_per_segment: float = Field(10.0, ge=5, description="fewest gyroperiods in a segment")
    segments: int = Field(7, ge=3, description="fewest half-overlapping segments in a window")
    coverage: float = Field(0.6, gt=0, le=1, description="fewest segments of a window without a gap, as a part of all")
    longest: float = Field(36000.0, gt=0, description="longest window, s; a species that needs a longer one is refused")

    @model_validator(mode="after")
    def _consistent(self) -> WindowSettings:
        if self.longest < self.shortest:
            raise ValueError(f"longest is {self.longest:g} s, less than shortest, {self.shortest:g} s")
        return self


class SpectrumSettings(Settings):
    """Estimate of the spectral matrix."""

    estimator: Literal["welch", "multitaper"] = Field("welch", description="Hann taper on segments, or several Slepian tapers")
    time_bandwidth: float = Field(2.5, ge=1.5, le=8, description="time-bandwidth product of the Slepian tapers")
    detrend: Literal["linear", "mean"] = Field("linear", description="what is removed from every segment")


class CriteriaSettings(Settings):
    """What makes a window a pick-up wave; the numbers are those of Schmid et al. 2022 where the paper has any."""

    ellipticity: float = Field(0.5, gt=0, lt=1, description="smallest ellipticity in the sense of the ion's gyration")
    polarization_degree: float = Field(0.7, gt=0, lt=1, description="smallest degree of polarisation in the band")
    polarization_dimensions: Literal[2, 3] = Field(2, description="degree in the plane across B, or of Samson & Olson in space")
    polarization_over: Literal["maximum", "band"] = Field(
        "maximum", description="average over the three frequencies about the largest of the band, or over all of the band"
    )
    band: Literal["widened", "literal"] = Field(
        "widened", description="literal ends at fc + dfc, and cuts a wave at fc in a steady field; widened adds the resolution"
    )
    band_margin: float = Field(1.5, ge=0, le=4, description="what widened adds above, in units of the resolution")
    fewest_bins: int = Field(3, ge=1, description="fewest frequencies in the band")
    search_lower: float = Field(0.4, ge=0.25, lt=0.8, description="lower end of the search for the maximum, in units of fc")
    search_upper: float = Field(1.8, gt=1.2, le=2.5, description="upper end of the search for the maximum, in units of fc")
    transverse_ratio: float = Field(
        1.0, gt=0, description="smallest ratio of the power across B (two components) to that along B"
    )
    signal_to_noise: float = Field(1.0, ge=0, description="smallest ratio of the wave to the background across B in the band")
    field_variation: float = Field(0.3, gt=0, description="largest standard deviation of |B| in a window, as a part of |B|")
    field_alignment: float = Field(
        0.9,
        gt=0,
        lt=1,
        description="smallest length of the mean field of a window, as a part of the mean of |B|: it has not turned",
    )
    consecutive: int = Field(2, ge=1, description="fewest consecutive half-overlapping windows of an event")
    track_tolerance: float = Field(
        0.15, gt=0, description="change of fc in an event, as a part of it, from which its frequency must follow |B|"
    )


class RejectionSettings(Settings):
    """What looks like a pick-up wave and is none."""

    spin_period: float | None = Field(None, gt=0, description="period of rotation of the spacecraft, s: its harmonics are masked")
    fixed_lines: bool = Field(True, description="mask lines whose frequency stays while |B| changes")
    line_significance: float = Field(
        4.0, gt=2, description="how far a line stands out of its surroundings, in robust standard deviations"
    )
    line_field_ratio: float = Field(1.2, gt=1, description="smallest ratio of |B| in the series for lines to count as fixed")
    foreshock: Literal["low_frequency", "all", "off"] = Field(
        "low_frequency",
        description="on field lines to the bow shock reject ions with fc below foreshock_ratio of that of H+; all of them; none",
    )
    foreshock_ratio: float = Field(
        0.45, gt=0, lt=1, description="gyrofrequency, in units of that of H+, below which ions are taken for foreshock waves"
    )


class DetectionSettings(Settings):
    """Everything between the series and the events."""

    windows: WindowSettings = Field(default_factory=WindowSettings)
    spectrum: SpectrumSettings = Field(default_factory=SpectrumSettings)
    criteria: CriteriaSettings = Field(default_factory=CriteriaSettings)
    rejection: RejectionSettings = Field(default_factory=RejectionSettings)


class RegionSettings(Settings):
    """Where windows count, and how that is known."""

    keep: Literal["all", "solar_wind", "magnetosheath", "magnetosphere"] = Field(
        "all", description="region whose windows count; solar_wind includes the foreshock, which rejection.foreshock judges"
    )
    shock_model: str | None = Field(None, description="model of the bow shock; the first of the table by default")
    inner_model: str | None = Field(None, description="model of the magnetopause or induced boundary")
    tail_limit: float = Field(
        -10.0, description="field lines that meet the shock at x below this, in radii of the body, do not count as connected"
    )


class WaveSettings(Settings):
    """A whole analysis: from the series to densities."""

    body: str = Field(description="body, such as Mercury; presets of core/tables/bodies.csv")
    species: tuple[str, ...] = Field(min_length=1, description="ions or groups, such as H+, H2+, Cl-, water group")
    convention: str = Field("lammer2025", description="factors of equations (1) and (2): lammer2025, schmid2022, delva2009")
    background: Literal["subtract", "keep"] = Field(
        "subtract", description="take the power of the surrounding frequencies off the band, or keep it as the paper does"
    )
    distance: float | None = Field(None, gt=0, description="distance from the Sun, au; from the date for planets and moons")
    body_radius: float | None = Field(None, gt=0, description="radius of the body, km; that of the preset by default")
    examples: int = Field(8, ge=0, description="events, those of most power above background, whose series and spectra are kept")
    detection: DetectionSettings = Field(default_factory=DetectionSettings)
    region: RegionSettings = Field(default_factory=RegionSettings)
    plasma: PlasmaSettings = Field(default_factory=PlasmaSettings)
    uncertainty: DensityUncertainty = Field(default_factory=DensityUncertainty)
