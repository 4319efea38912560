# SPDX-License-Identifier: Apache-2.0
"""
A strict reader of OpenMetrics text, version 1.0
(https://prometheus.io/docs/specs/om/open_metrics_spec/): what the specification says MUST, for the
types that a daemon without histograms needs. It reads no file and knows no metric.
"""

import math
import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
META = re.compile(rf'# (TYPE|UNIT|HELP) ({NAME}) (.*)')
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)?\}})? (\S+)(?: (\S+))?')
NUMBER = re.compile(r'[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[iI]nf(?:inity)?|[nN]a[nN]')
HELP = re.compile(r'(?:[^\\\n]|\\[\\n"])*')
SUFFIXES = {'counter': ('_total', '_created'), 'gauge': ('',), 'stateset': ('',), 'info': ('_info',), 'unknown': ('',)}
ESCAPES = {'n': '\n', '"': '"', '\\': '\\'}


class Broken(Exception):
    """What the specification forbids."""


class Family:
    def __init__(self, name):
        self.name, self.type, self.unit, self.help = name, None, None, None
        self.samples = {}  # (name, labels as a frozenset of pairs): value

    def describe(self, kind, text):
        if self.samples:
            raise Broken(f'{kind} of {self.name} behind its samples')
        if getattr(self, kind.lower()) is not None:
            raise Broken(f'two {kind} of {self.name}')
        if kind == 'TYPE' and text not in SUFFIXES:
            raise Broken(f'no type: {text}')
        if kind == 'HELP' and not HELP.fullmatch(text):
            raise Broken(f'bad escape in the help of {self.name}')
        setattr(self, kind.lower(), text)

    def sample_names(self):
        return [self.name + suffix for suffix in SUFFIXES[self.type or 'unknown']]

    def add(self, name, labels, value):
        key = (name, frozenset(labels.items()))
        if key in self.samples:
            raise Broken(f'{name}{labels} is there twice')
        if self.type == 'counter' and not 0 <= value < math.inf:
            raise Broken(f'counter {name} is {value}')
        if self.type == 'stateset' and (value not in (0, 1) or self.name not in labels):
            raise Broken(f'no state: {name}{labels} {value}')
        if self.type == 'info' and value != 1:
            raise Broken(f'info {name} is {value}')
        self.samples[key] = value

    def finish(self):
        if self.unit and not self.name.endswith('_' + self.unit):
            raise Broken(f'{self.name} does not end with its unit {self.unit}')
        if self.unit and self.type in ('stateset', 'info'):
            raise Broken(f'{self.name} can have no unit')


def read_labels(text):
    labels = {}
    for match in re.finditer(LABEL, text or ''):
        if match[1] in labels:
            raise Broken(f'label {match[1]} comes twice')
        labels[match[1]] = re.sub(r'\\(.)', lambda m: ESCAPES[m[1]], match[2])
    return labels


def read_sample(family, line):
    match = SAMPLE.fullmatch(line)
    if not match:
        raise Broken(f'no sample: {line}')
    if match[1] not in family.sample_names():
        raise Broken(f'{match[1]} is not of the family {family.name}')
    value, timestamp = match.groups()[-2:]
    if not NUMBER.fullmatch(value) or (timestamp and not NUMBER.fullmatch(timestamp)):
        raise Broken(f'no number: {line}')
    family.add(match[1], read_labels(match[2]), float(value))


def parse(text):
    """All families by name."""
    if not text.endswith('# EOF\n') or not ('\n' + text).endswith('\n# EOF\n'):
        raise Broken('does not end with "# EOF" and a line feed')
    families, family = {}, None
    for line in text.split('\n')[:-2]:
        meta = META.fullmatch(line)
        if line.startswith('#') and not meta:
            raise Broken(f'no metadata: {line}')
        name = meta[2] if meta else re.match(f'(?:{NAME})?', line)[0]
        if family is None or (meta and name != family.name):
            if name in families:
                raise Broken(f'{name} is interrupted')
            family = families[name] = Family(name)
        if meta:
            family.describe(meta[1], meta[3])
        else:
            read_sample(family, line)
    names = []
    for family in families.values():
        family.finish()
        names += {family.name, *family.sample_names()}
    if len(names) != len(set(names)):
        raise Broken('names of two families clash')
    return families


def value(families, name, **labels):
    """The one sample with these labels."""
    found = [f.samples[name, frozenset(labels.items())] for f in families.values()
             if (name, frozenset(labels.items())) in f.samples]
    assert len(found) == 1, (name, labels)
    return found[0]
