import pickle
import sys

model = pickle.load(open("src/churn/model.pkl", "rb"))
print(model.predict(sys.argv[1]))
