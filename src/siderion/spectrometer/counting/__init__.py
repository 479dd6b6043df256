"""Tests and limits for tiny counts: exact, overdispersed, paired, by permutation, without single events."""
