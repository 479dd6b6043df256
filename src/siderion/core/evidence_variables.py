"""Entries of the registry for instruments and evidence: catalogue, spectra, events, counting, design, attribution."""

from __future__ import annotations

from .variable import Variable

_EVENT = ("event",)
_SITE = ("site", "time")
_TIME = ("time",)
_CONTEXT = ("region", "lunar_sector", "kp_class")
_MAP = ("altitude_class", "magnetic_latitude", "magnetic_local_time")
_RATE_MAP = ("altitude_class", "rate_class", "magnetic_latitude", "magnetic_local_time")
_ORIGIN = ("prior", "origin")
_SPECTRUM = ("spectrum", "species")

EVIDENCE_VARIABLES = [
    # catalogue
    Variable("grade_level", ("instrument",), "1", "answer as a number, 0 (cannot) to 3 (separates)", minimum=0.0),
    Variable("energy_fraction", ("instrument",), "1", "share of the energies asked for, in the logarithm", minimum=0.0),
    Variable("needed_m_over_dm", ("opponent",), "1", "m/dm at which the peaks lie one full width apart", minimum=0.0),
    Variable("geometric_factor_cm2_sr", ("instrument",), "cm2 sr", "geometric factor of the catalogue", minimum=0.0),
    # instruments and spectra
    Variable("counts", ("tof",), "1", "events per bin", minimum=0.0),
    Variable("expected_counts", ("tof",), "1", "expected events per bin", minimum=0.0),
    Variable("expected_by_species", ("species", "tof"), "1", "expected events per bin of each species", minimum=0.0),
    Variable("expected_background", ("tof",), "1", "expected accidental events per bin", minimum=0.0),
    # pulse-height events
    Variable("energy_per_charge", ("event",), "eV e-1", "energy per charge", minimum=0.0),
    Variable("flight_time", ("event",), "s", "time of flight from its channel", minimum=0.0),
    Variable("solid_state_energy", ("event",), "eV", "energy in the solid-state detector", minimum=0.0),
    Variable("mass", ("event",), "u", "mass; 0 without a detector signal", minimum=0.0),
    Variable("mass_per_charge", ("event",), "u e-1", "mass per charge", minimum=0.0),
    Variable("coincidence", ("event",), "1", "coincidence: 0 none, 1 double, 2 triple", minimum=0.0),
    Variable(
        "mass_per_charge_counts",
        (*_CONTEXT, "coincidence", "fine_mass_per_charge_bin"),
        "1",
        "events by mass per charge",
        minimum=0.0,
    ),
    Variable("window_counts", ("window", *_CONTEXT), "1", "events in the window of a species", minimum=0.0),
    Variable("exposure", _CONTEXT, "1", "observed time, units of three hours", minimum=0.0),
    Variable("average_counts", ("window", *_CONTEXT), "1", "counts for three hours of observation", minimum=0.0),
    Variable("region_average", ("window", "region"), "1", "counts for three hours of observation", minimum=0.0),
    Variable("section_voltage", ("time",), "V", "voltage of the linear field section of Kaguya/IMA", minimum=0.0),
    # counting, exposure, design
    Variable("inside", ("event",), "1", "event is inside"),
    Variable("count_before", ("event",), "1", "count before", minimum=0.0),
    Variable("count_after", ("event",), "1", "count after", minimum=0.0),
    Variable("exposure_before", ("event",), "1", "exposure before", minimum=0.0),
    Variable("exposure_after", ("event",), "1", "exposure after", minimum=0.0),
    Variable("p_value", ("test",), "1", "p value of the test", minimum=0.0),
    Variable("p_value_without", ("event",), "1", "p value of the exact test without the event", minimum=0.0),
    Variable("dispersion_index", ("pooling",), "1", "Pearson chi-square over its degrees of freedom", minimum=0.0),
    Variable("event_rate", ("group",), "1", "counts per unit of exposure", minimum=0.0),
    Variable("group_counts", ("group",), "1", "counts of the group", minimum=0.0),
    Variable("group_exposure", ("group",), "1", "exposure of the group", minimum=0.0),
    Variable("rate_ratio", (), "1", "rate inside over rate outside", minimum=0.0),
    Variable("expected_counts_by_energy", ("species", "point", "energy_per_charge"), "1", "expected counts", minimum=0.0),
    Variable(
        "energy_per_charge_bounds", ("energy_per_charge", "bound"), "eV", "edges of the energy bins, per charge", minimum=0.0
    ),
    Variable(
        "counts_needed", ("mass_resolution",), "1", "counts of the major species needed to detect the minor one", minimum=0.0
    ),
    Variable(
        "counts_to_tell_apart", ("mass_resolution",), "1", "counts that tell one species alone from the other alone", minimum=0.0
    ),
    Variable("resolution_needed", (), "1", "m/dm needed with these counts", minimum=0.0),
    Variable("geometric_factor_needed", ("mass_resolution",), "m2 sr", "geometric factor needed within the time", minimum=0.0),
    Variable("time_needed", ("mass_resolution",), "s", "time needed", minimum=0.0),
    Variable(
        "minimum_fraction",
        ("case", "major_counts"),
        "1",
        "smallest detectable count ratio of the minor to the major species",
        minimum=0.0,
    ),
    Variable("cone_counts_needed", ("angular_resolution",), "1", "counts of all pitch angles that show the cone", minimum=0.0),
    Variable(
        "source_error", ("angular_resolution",), "m", "standard error of the place of the source from one count", minimum=0.0
    ),
    Variable(
        "source_counts_needed", ("angular_resolution",), "1", "counts that place the source to the wanted error", minimum=0.0
    ),
    Variable("efficiency_left", ("duration",), "1", "efficiency over that at the begin", minimum=0.0),
    Variable("effective_exposure", ("duration",), "year", "time of the fresh detector that counts as much", minimum=0.0),
    Variable("limit_factor", ("duration",), "1", "factor by which limits rise", minimum=0.0),
    Variable("residence_share", ("region",), "1", "share of the time in the region", minimum=0.0),
    Variable("hours_per_year", ("region",), "h", "hours a year in the region", minimum=0.0),
    Variable("counts_per_year", ("region",), "1", "expected counts a year in the region", minimum=0.0),
    # geospace
    Variable("region_probability", ("time", "region"), "1", "probability of the region", minimum=0.0),
    Variable("likeliest_region", ("time",), "1", "place of the likeliest region in the coordinate region", minimum=0.0),
    Variable("residence_hours", ("region", "year_bin"), "h", "expected time in the region", minimum=0.0),
    Variable(
        "residence_fraction", ("region", "year_bin"), "1", "fraction of the time in the region, NaN without time", minimum=0.0
    ),
    Variable("hours_in_bin", ("year_bin",), "h", "time of the orbit in the part of the year", minimum=0.0),
    Variable("wake_hours", ("species", "region", "year_bin"), "h", "time inside the lunar-ion wake", minimum=0.0),
    Variable("year_bin", ("year_bin",), "1", "middle of the part of the year", minimum=0.0),
    Variable("wake_along", ("time",), "RE", "distance from the Moon along the drift of the ions"),
    Variable("wake_height", ("time",), "RE", "distance from the Moon along the motional electric field"),
    Variable("wake_along_field", ("time",), "RE", "distance from the Moon along the magnetic field"),
    Variable("inside_ion_wake", ("species", "time"), "1", "the place is in the wake of lunar ions"),
    Variable("satellite_magnetic_latitude", ("time",), "degrees", "magnetic latitude of the satellite at 110 km"),
    Variable("satellite_magnetic_local_time", ("time",), "h", "magnetic local time of the satellite", minimum=0.0),
    Variable("site_magnetic_latitude", ("site",), "degrees", "magnetic latitude of the site at 110 km"),
    Variable("site_magnetic_local_time", ("site", "time"), "h", "magnetic local time of the site", minimum=0.0),
    Variable("magnetic_latitude_difference", ("site", "time"), "degrees", "magnetic latitude, satellite less site"),
    Variable("magnetic_local_time_difference", ("site", "time"), "h", "local time, satellite less site"),
    Variable(
        "footpoint_distance", ("site", "time"), "km", "distance of the field lines of satellite and site at 110 km", minimum=0.0
    ),
    Variable("local_time_delay", ("site", "time"), "h", "time until the site has the magnetic local time of the satellite"),
    Variable("closest_distance", ("site",), "km", "smallest distance of the field lines at 110 km", minimum=0.0),
    Variable(
        "passes", ("altitude_class", "magnetic_latitude", "magnetic_local_time"), "1", "passes through the bin", minimum=0.0
    ),
    Variable(
        "detections",
        ("altitude_class", "rate_class", "magnetic_latitude", "magnetic_local_time"),
        "1",
        "passes with a peak count rate of the class",
        minimum=0.0,
    ),
    Variable(
        "occurrence_rate",
        ("altitude_class", "rate_class", "magnetic_latitude", "magnetic_local_time"),
        "1",
        "passes with a detection over passes",
        minimum=0.0,
    ),
    # conjunctions and layers
    Variable("days_from_new_moon", _EVENT, "d", "time since the nearest new Moon"),
    Variable("moon_position", ("event", "component"), "RE", "position of the Moon, GSE"),
    Variable("lunar_local_time", _EVENT, "h", "lunar local time", minimum=0.0),
    Variable("lunar_sector", _EVENT, "1", "sector of lunar local time, 3 around new Moon", minimum=1.0),
    Variable("largest_kp", _EVENT, "1", "largest known Kp around the event", minimum=0.0),
    Variable("smallest_dst", _EVENT, "nT", "smallest known Dst around the event"),
    Variable("event_position", ("event", "component"), "km", "position of the spacecraft, GSE"),
    Variable("in_lunar_wake", _EVENT, "1", "in the wake of lunar ions: 1 inside, 0 outside, -1 unknown"),
    Variable("wake_reported", _EVENT, "1", "reported to be in the wake of lunar ions: 1, 0, -1 unknown"),
    Variable("days_from_shower", _EVENT, "d", "time since the peak of the nearest meteor shower"),
    Variable("criterion_value", ("event", "criterion"), "1", "what was compared, in the unit of the criterion"),
    Variable("criterion_state", ("event", "criterion"), "1", "1 met, 0 not met, -1 unknown"),
    Variable("criteria_met", _EVENT, "1", "number of criteria met", minimum=0.0),
    Variable("criteria_not_met", _EVENT, "1", "number of criteria not met", minimum=0.0),
    Variable("criteria_unknown", _EVENT, "1", "number of criteria unknown", minimum=0.0),
    Variable("rank", _EVENT, "1", "rank: criteria met, then not met, then distance to new Moon", minimum=1.0),
    Variable("window_hours", ("window",), "h", "length of the window", minimum=0.0),
    Variable("window_state", ("window",), "1", "1 all criteria met, -1 one unknown"),
    *[
        Variable(f"{kind}_{when}", _EVENT, "1", f"counts in half a day, {kind} {when}", minimum=0.0)
        for kind, when in (
            ("triple", "before"),
            ("triple", "after"),
            ("light", "before"),
            ("light", "after"),
            ("double", "before_lower"),
            ("double", "before_upper"),
            ("double", "after_lower"),
            ("double", "after_upper"),
        )
    ],
    Variable("dst", ("time",), "nT", "disturbance storm time index, hourly"),
    Variable("spacecraft_position", ("time", "component"), "km", "position of the spacecraft, GSE"),
    Variable("layer_density", ("time", "alt"), "m-3", "density of the layer"),
    Variable("layer_density_error", ("time", "alt"), "m-3", "standard error of the density of the layer", minimum=0.0),
    Variable("layer_density_true", ("time", "alt"), "m-3", "density that the counts are drawn from", minimum=0.0),
    Variable("layer_density_covariance", ("time", "alt", "alt_other"), "m-6", "covariance of the density, from the limb"),
    Variable("lidar_counts", ("time", "alt"), "1", "photon counts of a bin", minimum=0.0),
    Variable("lidar_night", ("time",), "1", "dark enough for the lidar"),
    Variable("limb_brightness", ("time", "alt"), "R", "brightness at the tangent altitude"),
    Variable("limb_optical_depth", ("time", "alt"), "1", "optical depth along the line of sight", minimum=0.0),
    Variable("layer_column_density", ("time",), "m-2", "column density of the layer"),
    Variable("layer_centroid_height", ("time",), "km", "centroid height of the layer"),
    Variable("layer_rms_width", ("time",), "km", "root mean square width of the layer", minimum=0.0),
    Variable("layer_largest_density", ("time",), "m-3", "largest density of the layer"),
    Variable("layer_peak_height", ("time",), "km", "height of the largest density of the layer"),
    Variable("layer_upper_edge", ("time",), "km", "upper edge of the layer"),
    Variable("layer_lower_edge", ("time",), "km", "lower edge of the layer"),
    Variable("span_kp", ("kp_time",), "1", "Kp of the span searched", minimum=0.0),
    Variable("span_dst", ("dst_time",), "nT", "Dst of the span searched"),
    Variable("species_counts", _SPECTRUM, "1", "counted events of the species", minimum=0.0),
    Variable("species_counts_best", _SPECTRUM, "1", "best value of the counted events", minimum=0.0),
    Variable("species_counts_limit", _SPECTRUM, "1", "upper limit of the counted events", minimum=0.0),
    Variable("significance", _SPECTRUM, "1", "root of the likelihood ratio against no such species", minimum=0.0),
    Variable("count_ratio", _SPECTRUM, "1", "best counts over those of the first species", minimum=0.0),
    Variable("goodness_of_fit", ("spectrum",), "1", "chance of a larger Poisson deviance", minimum=0.0),
    Variable("error_scale", ("spectrum",), "1", "root of the deviance over its expectation", minimum=0.0),
    Variable("background_per_bin", ("spectrum",), "1", "background per bin of mean width", minimum=0.0),
    Variable("peak_width", ("spectrum",), "1", "standard deviation of the Gaussian over the time of flight", minimum=0.0),
    Variable("peak_tail", ("spectrum",), "1", "mean delay by the tail over the time of flight", minimum=0.0),
    Variable("time_scale", ("spectrum",), "1", "factor on all times of flight", minimum=0.0),
    Variable("model_background", ("spectrum", "tof"), "1", "fitted background per bin", minimum=0.0),
    Variable("model_by_species", ("spectrum", "species", "tof"), "1", "fitted counts per bin of each species", minimum=0.0),
    Variable("energy_time_counts", ("energy", "tof"), "1", "counts per bin of energy and time", minimum=0.0),
    Variable("energy_time_model", ("species", "energy", "tof"), "1", "fitted counts by energy and time", minimum=0.0),
    Variable("correlation", (*_SPECTRUM, "other_species"), "1", "correlation of the errors of two species"),
    Variable("tof_ns", ("tof",), "ns", "time of flight, centre of the bin", minimum=0.0),
    Variable("joint_counts", _SPECTRUM, "1", "counts of the joint fit of energy and time", minimum=0.0),
    Variable("joint_counts_lower", _SPECTRUM, "1", "lower end of the joint fit", minimum=0.0),
    Variable("joint_counts_upper", _SPECTRUM, "1", "upper end of the joint fit", minimum=0.0),
    Variable("joint_counts_limit", _SPECTRUM, "1", "upper limit of the joint fit", minimum=0.0),
    Variable("joint_significance", _SPECTRUM, "1", "significance of the joint fit", minimum=0.0),
    Variable("separation_gain", _SPECTRUM, "1", "interval of the times alone over that of the joint fit", minimum=0.0),
    Variable("velocity_distribution", ("velocity",), "1", "share of velocity bins", minimum=0.0),
    Variable("posterior_probability", ("candidate",), "1", "posterior probability of the candidate", minimum=0.0),
    Variable("ln_likelihood_ratio", ("candidate",), "1", "ln likelihood less that of the best candidate"),
    Variable("candidate_counts", ("candidate",), "1", "best counts of the candidate alone", minimum=0.0),
    Variable(
        "answer_energy_ev",
        ("instrument", "span", "end"),
        "eV",
        "where the answer holds: energy per charge, lower and upper end",
        minimum=0.0,
    ),
    Variable(
        "instrument_energy_ev",
        ("instrument", "end"),
        "eV",
        "whole instrument: energy per charge, lower and upper end",
        minimum=0.0,
    ),
    # attribution
    Variable("leading_probability", ("prior", "origin"), "1", "probability that the source supplies the most", minimum=0.0),
    Variable(
        "prior_probability",
        ("prior", "origin"),
        "1",
        "probability that the source supplies the most, before the counts",
        minimum=0.0,
    ),
    Variable("posterior_odds", ("prior", "origin"), "1", "odds that the source supplies the most", minimum=0.0),
    Variable("bayes_factor", ("prior", "origin"), "1", "posterior odds over prior odds", minimum=0.0),
    Variable("count_share", ("prior", "origin"), "1", "share of the source in the counts of the target", minimum=0.0),
    Variable("prior_counts", ("prior", "origin"), "1", "counts of the target expected before it was seen", minimum=0.0),
    Variable("log_evidence", ("prior",), "1", "logarithm of the probability of the counts"),
    Variable("effective_samples", ("prior",), "1", "effective samples", minimum=0.0),
    Variable(
        "channel_share", ("prior", "origin", "channel"), "1", "mean share of the source in the counts of the channel", minimum=0.0
    ),
    Variable("channel_counts", ("channel",), "1", "counts of the targets", minimum=0.0),
    Variable(
        "information_gain", ("candidate",), "bit", "expected information about the leading source, lower bound", minimum=0.0
    ),
    Variable("decided_probability", ("candidate",), "1", "probability that one source is named afterwards", minimum=0.0),
    Variable("leader_entropy", (), "bit", "entropy of the leading source, all priors", minimum=0.0),
    Variable("event_odds", ("event", "prior", "origin"), "1", "odds that the source supplies the most, by event", minimum=0.0),
    Variable("source_counts", ("route",), "1", "expected counts of an instrument from a supply", minimum=0.0),
    Variable("sampling_error", ("prior", "origin"), "1", "standard error of the leading probability", minimum=0.0),
    Variable(
        "log_evidence_spread",
        ("prior",),
        "1",
        "largest less smallest log evidence of the independent runs; above 1 the sampler did not settle",
        minimum=0.0,
    ),
    Variable("leaders_differ", ("prior",), "1", "1 where independent runs name different leading sources", minimum=0.0),
    Variable("run_spread", ("prior", "origin"), "1", "largest less smallest leading probability over the runs", minimum=0.0),
    Variable("odds_bound", ("prior", "origin"), "1", "odds are 0: as they stand, 1: at least, -1: at most, 9: no access"),
    Variable(
        "bayes_factor_bound", ("prior", "origin"), "1", "factor is 0: as it stands, 1: at least, -1: at most, 9: not defined"
    ),
]
