#!/usr/bin/env php
<?php
// SPDX-License-Identifier: Apache-2.0
// endpoint.php SOCKET TEXT: send a message by an endpoint (framing json), print the next one.
function fail(string $why): never
{
    fwrite(STDERR, "endpoint: $why\n");
    exit(1);
}

[, $path, $text] = $argv;
$bridge = @stream_socket_client("unix://$path", $errno, $why, 10) ?: fail("$path: $why");
stream_set_timeout($bridge, 10);
fwrite($bridge, json_encode(['type' => 'text', 'data' => $text, 'id' => 1]) . "\n");
while (($line = fgets($bridge)) !== false) {
    $record = json_decode($line, flags: JSON_THROW_ON_ERROR);
    if ($record->type === 'text') {
        echo $record->data, "\n";
        exit;
    }
    if ($record->type === 'error') {
        fail($record->error->message);
    }
}
fail(feof($bridge) ? 'the daemon has closed the connection' : 'no answer');
