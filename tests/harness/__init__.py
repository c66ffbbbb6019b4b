"""What several test folders share: simulators, real processes and builders of test data."""
