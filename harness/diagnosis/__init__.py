"""Lost probes in, why they were lost out: a format that took over, knowledge that is gone, a refusal, rambling, a language."""
