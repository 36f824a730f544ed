"""A task file of lm-evaluation-harness in, a suite that gives the same per-item answers out.

format  what a task file may say
include the file and what it includes -> one document
task    the document -> LmEvalTask, or every reason why it cannot be imported
data    its data files or data set -> documents
render  a document -> the text that lm-evaluation-harness shows a model
exact   its metric `exact_match` -> a regular expression
convert all of them -> probes
write   probes -> the text of a suite

Written after version 0.4.13 and proven against it by benchmarks/lm_eval_parity.py, without a chat template. Where a
tokenizer puts a beginning-of-text token first, both do; a prompt that begins with that token's own text gets a second
one here and not there. A prompt too long for the model is an error here and loses its beginning there.
"""
