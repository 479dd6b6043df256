"""Mass spectra: which instrument sees which ion, what it would count, and what its counts mean."""
