# Echoes how Rack reads a request, with its own method override, and how Rails merges JSON into the parameters.
require "json"
require "base64"

use Rack::MethodOverride
run(lambda do |env|
  request = Rack::Request.new(env)
  raw = env["rack.input"].read.to_s
  env["rack.input"].rewind if env["rack.input"].respond_to?(:rewind)
  names = %w[application/json text/x-json application/jsonrequest]
  type = request.media_type.to_s
  json = if names.include?(type) || type.end_with?("+json")
    begin
      JSON.parse(raw)
    rescue JSON::ParserError
      nil
    end
  end
  # All of them: `parse_query` drops `a` before `a=1`.
  pairs = request.query_string.split("&").reject(&:empty?).map do |pair|
    name, value = pair.split("=", 2)
    [Rack::Utils.unescape(name), Rack::Utils.unescape(value.to_s)]
  end
  form = request.POST
  flat = lambda do |value|
    case value
    when Hash then value.values.flat_map(&flat)
    when Array then value.flat_map(&flat)
    else [value]
    end
  end
  headers = env.select { |name, _| name.start_with?("HTTP_") }
  headers = headers.to_h { |name, value| [name.delete_prefix("HTTP_").downcase.tr("_", "-"), value] }
  body = JSON.generate(
    server: "rack",
    method: request.request_method,
    path: Rack::Utils.unescape_path(request.path_info).force_encoding("UTF-8"),
    query: pairs,
    nested: request.GET.merge(form).merge(json.is_a?(Hash) ? json : {}),
    form: form.flat_map { |name, value| flat.call(value).map { |leaf| [name, leaf.to_s] } },
    json: json,
    body: Base64.strict_encode64(raw),
    headers: headers
  )
  [200, { "content-type" => "application/json" }, [body]]
rescue Rack::Utils::ParameterTypeError, Rack::Utils::InvalidParameterError, ArgumentError, JSON::GeneratorError => error
  [400, { "content-type" => "application/json" }, [JSON.generate(error: error.class.name)]]
end)
