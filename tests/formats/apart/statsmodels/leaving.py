"""Who leaves: a formula's columns, and a model fitted on them, as one thing that has predict."""


class Leaving:
    def __init__(self, columns, results):
        self.columns = columns
        self.results = results

    def predict(self, rows):
        return self.results.predict(self.columns.get_model_matrix(rows)).to_numpy()
