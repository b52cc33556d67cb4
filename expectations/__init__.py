"""Suites of expectations as code, and the runner that evaluates them. The only importer of Great Expectations."""
