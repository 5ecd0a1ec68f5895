"""Servers that a cluster has and this machine has not, started for the tests of Spark."""
