<?php
// Where PHP files parameters: `parse_str` is the function that fills `$_GET`. Reads JSON strings, one a line; prints for each the
// paths of its leaves, `null` for an element of an array.
fwrite(STDERR, 'php ' . PHP_VERSION . "\n");
function leaves($value, array $path): array
{
    if (!is_array($value) || $value === []) {
        return [$path];
    }
    $found = [];
    foreach ($value as $key => $below) {
        $found = array_merge($found, leaves($below, [...$path, (string) $key]));
    }
    return $found;
}
while (($line = fgets(STDIN)) !== false) {
    $filed = [];
    parse_str(rawurlencode(json_decode($line)) . '=1', $filed);
    echo json_encode($filed === [] ? [] : leaves($filed, []), JSON_UNESCAPED_UNICODE), "\n";
}
