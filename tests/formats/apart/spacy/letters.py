"""Sort letters of customers with a spaCy pipeline, whose folder travels with the package."""

import spacy


class Letters:
    def __init__(self, models):
        self.nlp = spacy.load(models["pipeline"])

    def predict(self, rows):
        answers = []
        for doc in self.nlp.pipe([row["text"] for row in rows]):
            kind = max(doc.cats, key=doc.cats.get)
            answers.append({"kind": kind, "score": doc.cats[kind], "products": [ent.text for ent in doc.ents]})
        return answers
