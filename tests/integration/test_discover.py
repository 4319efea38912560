# SPDX-License-Identifier: Apache-2.0
"""The method `rpc.discover`: an OpenRPC document (https://spec.open-rpc.org/) that tells the truth."""

import json
import re

import pytest

from harness import RpcError

TYPES = {'string', 'number', 'integer', 'boolean', 'object', 'array', 'null'}
KEYWORDS = {'type', 'description', 'default', 'enum', 'const', 'minimum', 'maximum', 'minLength', 'maxLength',
            'pattern', 'properties', 'additionalProperties', 'patternProperties', 'items', 'minItems', 'maxItems',
            'uniqueItems', 'anyOf', 'oneOf', 'required', 'not', 'minProperties', 'maxProperties', 'propertyNames',
            '$ref', 'allOf', 'if', 'then', 'else', 'exclusiveMinimum', 'prefixItems', 'contentEncoding'}


@pytest.fixture(scope='module')
def daemon(module_daemon, server):
    return module_daemon({'b': {'url': server.url(), 'start': 'manual'}},
                         control=[{}, {'unix': '$DIR/read', 'level': 'read'}])


@pytest.fixture(scope='module')
def document(daemon):
    return daemon.call('rpc.discover')


def resolve(document, reference):
    assert reference.startswith('#/'), reference
    for step in reference[2:].split('/'):
        document = document[step.replace('~1', '/').replace('~0', '~')]
    return document


def check_schema(document, schema, where):
    """That it is a JSON Schema, as far as there are words of it in use."""
    if isinstance(schema, bool):
        return
    assert isinstance(schema, dict) and schema.keys() <= KEYWORDS, (where, schema)
    types = schema.get('type', [])
    assert set([types] if isinstance(types, str) else types) <= TYPES, where
    for text in ('description', '$ref', 'pattern'):
        assert isinstance(schema.get(text, ''), str), where
    if '$ref' in schema:
        assert resolve(document, schema['$ref']), where
    re.compile(schema.get('pattern', ''))
    for group in ('properties', 'patternProperties'):
        for name, one in schema.get(group, {}).items():
            check_schema(document, one, f'{where}.{name}')
    for one in [schema[k] for k in ('items', 'additionalProperties', 'not', 'propertyNames') if k in schema]:
        check_schema(document, one, where)
    for one in sum((schema.get(k, []) for k in ('anyOf', 'oneOf', 'allOf', 'prefixItems')), []):
        check_schema(document, one, where)


def test_document(document, daemon):
    assert document.keys() == {'openrpc', 'info', 'methods', 'components'}
    assert re.fullmatch(r'1\.\d+\.\d+', document['openrpc'])
    assert document['info']['version'] == daemon.call('version')['version']
    assert document['info'].keys() == {'title', 'version', 'description', 'license'}
    names = [m['name'] for m in document['methods']]
    assert len(names) == len(set(names))
    assert {'open', 'close', 'send', 'status', 'reconnect', 'explain', 'reload', 'log', 'metrics', 'shutdown',
            'version', 'rpc.discover'} <= set(names)


def test_methods(document):
    for method in document['methods']:
        name = method['name']
        assert method.keys() == {'name', 'summary', 'x-right', 'paramStructure', 'params', 'result', 'errors'}, name
        assert method['summary'].endswith('.') and method['paramStructure'] == 'by-name'
        assert method['x-right'] in ('read', 'send', 'admin')
        assert method['result'] == {'name': 'result', 'schema': {'type': 'object'}}
        params = [p['name'] for p in method['params']]
        assert len(params) == len(set(params)), name
        # "required" ones stand before the others, as the specification wants it of lists.
        required = [p['required'] for p in method['params']]
        assert required == sorted(required, reverse=True), name
        for param in method['params']:
            assert param.keys() == {'name', 'summary', 'required', 'schema'}
            assert param['summary'].endswith('.'), (name, param)
            check_schema(document, param['schema'], f'{name} {param["name"]}')


def test_errors(document):
    kinds = document['components']['errors']
    for kind, error in kinds.items():
        assert error.keys() == {'code', 'message', 'data'} and error['data'] == {'kind': kind}
        assert -32768 <= error['code'] <= -32000 and error['message']
    assert len({e['code'] for e in kinds.values()}) == len(kinds) >= 19
    for method in document['methods']:
        assert [resolve(document, e['$ref']) for e in method['errors']] == list(kinds.values())


def test_open_takes_the_options_of_a_bridge(document, daemon):
    params = {p['name']: p for p in next(m for m in document['methods'] if m['name'] == 'open')['params']}
    assert params['name']['required'] and not params['url']['required']
    bridge = document['components']['schemas']['bridge']
    assert bridge['properties'].keys() | {'name', 'wait', 'dry_run'} == params.keys()
    assert resolve(document, params['ping']['schema']['$ref'])['properties']['interval']['default'] == '20s'
    assert 'required' not in bridge


def test_what_it_tells_is_so(document, daemon):
    """Each parameter is known, no other is, and those that are required are missed."""
    for method in document['methods']:
        required = [p['name'] for p in method['params'] if p['required']]
        with pytest.raises(RpcError) as error:
            daemon.call(method['name'], **{name: 'b' for name in required}, nosuch=1)
        assert error.value.data['option'] == 'nosuch', method['name']
        for param in method['params']:
            with pytest.raises(RpcError) as error:
                daemon.call(method['name'], **{param['name']: {'': ''}}, nosuch=1)
            # Names are looked at in the order of the request.
            assert error.value.data['option'] == 'nosuch', (method['name'], param['name'])
        if required:
            with pytest.raises(RpcError) as error:
                daemon.call(method['name'])
            assert error.value.data['option'] in required


def test_rights_are_those_that_are_asked_for(document, daemon):
    with type(daemon.control)(daemon.path('read')) as control:
        for method in document['methods']:
            answer = control.ask(json.dumps({'id': 1, 'method': method['name'], 'params': {'nosuch': 1}}))
            denied = answer['error']['data']['kind'] == 'denied'
            assert denied == (method['x-right'] != 'read'), method['name']


def test_command(daemon, document, wsbridge):
    done = wsbridge(daemon, '--json', 'rpc', 'rpc.discover')
    assert json.loads(done.stdout) == document
    assert json.loads(wsbridge(daemon, 'rpc', 'rpc.discover').stdout) == document
