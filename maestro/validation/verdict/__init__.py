"""The verdict: inputs, checks, the rule, the result, and its calibration."""
