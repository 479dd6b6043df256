"""Ion cyclotron waves in magnetometer data: from a field series to the densities of ions and neutrals."""
