<?php
// Echoes how PHP reads a request, and what Symfony and Laravel make of that: their method overrides, their names for JSON.
$raw = file_get_contents('php://input');
$type = $_SERVER['CONTENT_TYPE'] ?? $_SERVER['HTTP_CONTENT_TYPE'] ?? '';
$json = str_contains(strtolower($type), '/json') || str_contains(strtolower($type), '+json') ? json_decode($raw, true) : null;
$headers = [];
foreach ($_SERVER as $name => $value) {
    if (str_starts_with($name, 'HTTP_')) {
        $headers[strtolower(str_replace('_', '-', substr($name, 5)))] = $value;
    }
}
$method = $_SERVER['REQUEST_METHOD'];
if ($method === 'POST') {
    $given = $_SERVER['HTTP_X_HTTP_METHOD_OVERRIDE'] ?? $_POST['_method'] ?? $_GET['_method'] ?? $json['_method'] ?? $method;
    $method = is_string($given) ? strtoupper($given) : $method;
}
$uri = $headers['x-original-url'] ?? $headers['x-rewrite-url'] ?? $_SERVER['REQUEST_URI'];
$split = fn (string $text) => array_map(
    fn ($pair) => array_pad(array_map('urldecode', explode('=', $pair, 2)), 2, ''),
    array_filter(explode('&', $text), fn ($pair) => $pair !== '')
);
$flat = function (array $values) use (&$flat) {
    $out = [];
    foreach ($values as $name => $value) {
        $out = array_merge($out, is_array($value) ? $flat($value) : [[(string) $name, $value]]);
    }
    return $out;
};
header('Content-Type: application/json');
echo json_encode([
    'server' => 'php',
    'method' => $method,
    'path' => rawurldecode(explode('?', $uri, 2)[0]),
    'query' => array_values($split(explode('?', $uri, 2)[1] ?? '')),
    'nested' => (object) array_merge($_GET, $_POST, is_array($json) ? $json : []),
    'form' => $flat($_POST),
    'json' => $json,
    'body' => base64_encode($raw),
    'headers' => $headers,
], JSON_INVALID_UTF8_SUBSTITUTE);
