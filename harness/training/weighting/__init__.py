"""How much each token of the corpus counts in the loss, by the baseline or by the model in training."""
