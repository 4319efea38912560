#!/usr/bin/env php
<?php
// SPDX-License-Identifier: Apache-2.0
// control.php SOCKET NAME: the state of a bridge, a question to its server, and its next message.
class Control
{
    private $socket;
    private int $id = 0;
    private array $events = [];

    public function __construct(string $path)
    {
        $this->socket = @stream_socket_client("unix://$path", $errno, $why, 10)
            ?: throw new RuntimeException("$path: $why");
        stream_set_timeout($this->socket, 30);
    }

    private function read(): object
    {
        $line = fgets($this->socket);
        if ($line === false) {
            throw new RuntimeException('the daemon has closed the connection');
        }
        return json_decode($line, flags: JSON_THROW_ON_ERROR);
    }

    // Answers are told from events by their id; events that come in between are kept.
    public function call(string $method, mixed ...$params): object
    {
        $request = ['jsonrpc' => '2.0', 'id' => ++$this->id, 'method' => $method, 'params' => $params];
        fwrite($this->socket, json_encode($request) . "\n");
        while ((($answer = $this->read())->id ?? 0) !== $this->id) {
            $this->events[] = $answer->params;
        }
        if (isset($answer->error)) {
            throw new RuntimeException("{$answer->error->message} ({$answer->error->data->kind})");
        }
        return $answer->result;
    }

    public function event(): object
    {
        return array_shift($this->events) ?? $this->read()->params;
    }
}

try {
    [, $path, $name] = $argv;
    $control = new Control($path);
    echo "$name is {$control->call('status', name: $name)->bridges[0]->state}\n";
    $match = ['pointer' => '/id', 'equals' => 1];
    $answer = $control->call('request', name: $name, json: ['id' => 1], match: $match);
    echo "answer: $answer->data\n";
    $control->call('subscribe', name: $name, events: ['message']);
    $control->call('send', name: $name, text: 'hello');
    echo "event: {$control->event()->data}\n";
} catch (RuntimeException | JsonException $e) {
    fwrite(STDERR, "control: {$e->getMessage()}\n");
    exit(1);
}
