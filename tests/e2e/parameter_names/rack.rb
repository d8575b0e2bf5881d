# Where Rack files parameters. Reads JSON strings, one a line; prints for each the paths of its leaves, `null` for an element of an
# array. RACK_LIB names the library of another Rack than the installed one.
$LOAD_PATH.unshift(ENV["RACK_LIB"]) if ENV["RACK_LIB"]
require "json"
require "rack/utils"
require "rack/version"
require "uri"

$stdout.sync = false
warn "rack #{Rack.release}"

def leaves(value, path)
  case value
  when Hash then value.empty? ? [path] : value.flat_map { |key, below| leaves(below, path + [key]) }
  when Array then value.empty? ? [path] : value.flat_map { |below| leaves(below, path + [nil]) }
  else [path]
  end
end

$stdin.each_line do |line|
  name = JSON.parse("[#{line}]").first
  paths =
    begin
      filed = Rack::Utils.parse_nested_query("#{URI.encode_www_form_component(name)}=1")
      filed.empty? ? [] : leaves(filed, [])
    rescue StandardError
      []
    end
  puts JSON.generate(paths)
end
