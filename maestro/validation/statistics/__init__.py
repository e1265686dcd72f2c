"""Statistics of luck: Sharpe ratios, overfitting, data snooping, bootstrap and permutation."""
