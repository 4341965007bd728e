# What the practice supplier delivers: the model mail-sorter/, its training labels labels.csv, and the same labels as
# they were delivered before.
set -eu

mkdir mail-sorter
python3 -c "
import pickle
with open('mail-sorter/model.pkl', 'wb') as file:
    pickle.dump({'weights': [0.25, 0.5], 'labels': ['letter', 'advertisement']}, file)
with open('labels.csv', 'w') as file:
    file.write('id,text,label,annotator\n')
    for n in range(200):
        file.write(f'r{n:03},mail {n},{\"letter\" if n % 3 else \"advertisement\"},a{n % 4}\n')
"
cp labels.csv labels-before.csv
