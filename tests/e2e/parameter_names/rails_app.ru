# Echoes the parameters that a Rails controller sees, with `wrap_parameters` as new applications have it.
require "logger"
require "action_controller"
require "action_dispatch"

ActionController::Base.logger = Logger.new(nil)

class IssuesController < ActionController::API
  wrap_parameters :issue, format: [:json]

  def echo
    render json: params.to_unsafe_h.except("controller", "action", "path")
  end
end

routes = ActionDispatch::Routing::RouteSet.new
routes.draw { match "*path", to: "issues#echo", via: :all, format: false }

run(lambda do |env|
  routes.call(env)
rescue StandardError => error
  [400, { "content-type" => "application/json" }, [JSON.generate(refused: error.class.name)]]
end)
