# SPDX-License-Identifier: Apache-2.0
"""
What the runs of a row say. The programs of a row take turns, so that a round is one run of each
under about the same conditions, and what counts are ratios within a round: their median over the
rounds. Noise is how far these ratios lie apart: 1.4826 times the median of their distances from
the median, which for a normal distribution is its standard deviation and which one odd round does
not change; for few rounds that is too little, and a factor makes up for it (Croux, Rousseeuw:
Time-efficient algorithms for two highly robust estimators of scale, 1992). A target is missed when
median minus noise is above it; a peer is ahead when the median of its ratio to ours plus noise is
below one.
"""

import statistics

OURS = 'wsbridged'
FEW = {2: 1.196, 3: 1.495, 4: 1.363, 5: 1.206, 6: 1.200, 7: 1.140, 8: 1.129, 9: 1.107}


def median_and_noise(values):
    middle = statistics.median(values)
    factor = FEW.get(len(values)) or len(values) / (len(values) - 0.8)
    return middle, factor * 1.4826 * statistics.median(abs(value - middle) for value in values)


def ratios(runs, above, below, metric):
    """Of two programs, for the rounds in which both ended well."""
    pairs = zip(runs.get(above, []), runs.get(below, []))
    return [a[metric] / b[metric] for a, b in pairs if a and b and b[metric] > 0]


def judge(load, target, result, kinds):
    """One row of the table; `result` is what bench.py keeps of a load."""
    runs, failures = result['runs'], dict(result['failures'])
    row = {'name': f'{load.name} {target.label}'.strip(), 'metric': target.metric, 'floor': load.floor,
           'most': target.most, 'messages': result['counts'], 'programs': {}, 'failures': failures}
    for name, results in runs.items():
        values = [run[target.metric] for run in results if run]
        if values:
            cpu = statistics.median(run['cpu'] for run in results if run)
            to_floor = ratios(runs, name, load.floor, target.metric)
            row['programs'][name] = {'microseconds': statistics.median(values), 'cpu_microseconds': cpu,
                                     'rounds': [run and run[target.metric] for run in results]}
            if to_floor:
                row['programs'][name]['ratio'], row['programs'][name]['noise'] = median_and_noise(to_floor)
    row['verdict'] = verdict(row, runs, kinds)
    return row


def verdict(row, runs, kinds):
    ours = row['programs'].get(OURS, {})
    if row['failures'].get(OURS):
        return 'failed: ' + row['failures'][OURS]
    if 'ratio' not in ours:
        return 'failed: there is nothing to compare'
    ahead = []
    for name in row['programs']:
        if kinds[name] == 'peer':
            middle, noise = median_and_noise(ratios(runs, name, OURS, row['metric']) or [1])
            if middle + noise < 1:
                ahead.append(name)
    said = []
    if ours['ratio'] - ours['noise'] > row['most']:
        said.append('missed')
    if ahead:
        said.append('behind ' + ', '.join(ahead))
    if not said:
        said.append('within noise' if ours['ratio'] > row['most'] else 'met')
    return '; '.join(said)


def is_good(row):
    return row['verdict'] in ('met', 'within noise')
