"""Turn a task file of lm-evaluation-harness into a suite with the same result for every item.

format   the keys of a task file
include  a file and the files it includes, as one document
task     a task with every default resolved
read     a document -> a task, or every reason why it cannot be imported
data     data files or a data set -> documents
render   a document -> the text that lm-evaluation-harness shows a model
exact    the metric `exact_match` -> a regular expression
convert  a task and its documents -> probes
write    probes -> the text of a suite

Written for version 0.4.13 and checked against it by benchmarks/lm_eval_parity.py, without a chat template. Where a
tokenizer puts a beginning-of-text token first, both do; a prompt that begins with that token's own text gets a second
one here and not there. A prompt too long for the model is an error here; lm-evaluation-harness cuts off its beginning.
"""
