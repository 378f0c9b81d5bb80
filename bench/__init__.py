"""Benchmarks: each compares two conditions in one run on one machine and prints their ratio; none is a test."""
