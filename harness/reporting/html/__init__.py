"""A Record as one self-contained page of HTML, and the template that all our pages share."""
