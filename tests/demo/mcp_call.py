#!/usr/bin/env python3
"""mcp_call.py SQL... -- COMMAND...: starts an MCP server over stdio and calls its tool "query" with each SQL.

Prints what the model would see, one answer a line: "result TEXT" or "error TEXT".
"""
import json
import subprocess
import sys


def ask(server, number, method, params):
    request = {'jsonrpc': '2.0', 'id': number, 'method': method, 'params': params}
    server.stdin.write(json.dumps(request) + '\n')
    server.stdin.flush()
    for line in server.stdout:
        answer = json.loads(line)
        if answer.get('id') == number:
            return answer
    raise SystemExit('the MCP server went away')


def one_line(answer):
    if 'error' in answer:
        return 'error ' + answer['error']['message']
    result = answer['result']
    text = ''.join(part.get('text', '') for part in result['content'])
    try:
        text = json.dumps(json.loads(text))
    except ValueError:
        pass
    return ('error ' if result.get('isError') else 'result ') + text


def main(args):
    split = args.index('--')
    server = subprocess.Popen(args[split + 1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ask(server, 0, 'initialize', {'protocolVersion': '2024-11-05', 'capabilities': {}, 'clientInfo': {'name': 'demo', 'version': '1'}})
    server.stdin.write(json.dumps({'jsonrpc': '2.0', 'method': 'notifications/initialized'}) + '\n')
    for number, sql in enumerate(args[:split], 1):
        print(one_line(ask(server, number, 'tools/call', {'name': 'query', 'arguments': {'sql': sql}})))
    server.terminate()      # server-postgres does not end with its input
    server.wait()


if __name__ == '__main__':
    main(sys.argv[1:])
