"""The processes that hold models: start, warm, ask, replace, stop; and the small loop that runs inside them."""
