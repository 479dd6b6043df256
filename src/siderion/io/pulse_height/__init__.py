"""Files of pulse-height events and of time-of-flight counts: Geotail/STICS, MMS/HPCA, Kaguya/IMA."""
