// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Control.Authority;
using Weft.Control.Sources;
using Weft.Model.Diagnostics;
using Weft.Wire;

namespace Weft.Control.Serving;

/// <summary>The debug API: what the control plane knows, for <c>weft proxy-status</c>, dashboards and people with curl.</summary>
internal sealed class DebugCalls(
    ApiSources sources,
    MeshState state,
    ProxyTable proxies,
    PlanLoop loop,
    Counters counters,
    CertificateAuthority authority,
    ControlOptions options,
    TimeProvider time)
{
    private static readonly JsonSerializerOptions _indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Task ServeAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            return AnswerAsync(context, 405, "text/plain", "Only GET is served here.\n");
        }

        return context.Request.Path.Value switch
        {
            "/ready" => ReadyAsync(context),
            "/metrics" => AnswerAsync(context, 200, "text/plain; version=0.0.4", Metrics()),
            "/version" => JsonAsync(context, new JsonObject { ["version"] = options.Version }),
            "/debug/syncz" => JsonAsync(context, Syncz()),
            "/debug/config_dump" => ConfigDumpAsync(context),
            "/debug/plan" => PlanAsync(context),
            "/debug/diagnostics" => JsonAsync(context, Diagnostics()),
            "/debug/registryz" => JsonAsync(context, Registryz()),
            _ => AnswerAsync(
                context,
                404,
                "text/plain",
                "Nothing is here. There are: /ready /metrics /version /debug/syncz /debug/config_dump?proxyID= /debug/plan?proxyID= /debug/diagnostics /debug/registryz\n"),
        };
    }

    private static Task AnswerAsync(HttpContext context, int status, string type, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        return context.Response.WriteAsync(body);
    }

    private static Task JsonAsync(HttpContext context, JsonNode body) =>
        AnswerAsync(context, 200, "application/json", body.ToJsonString(_indented) + "\n");

    private static JsonObject Finding(Diagnostic diagnostic) => new()
    {
        ["id"] = diagnostic.Id,
        ["severity"] = diagnostic.Severity.ToString().ToLowerInvariant(),
        ["object"] = diagnostic.Origin.Where,
        ["kind"] = diagnostic.Origin.Kind,
        ["namespace"] = diagnostic.Origin.Namespace,
        ["name"] = diagnostic.Origin.Name,
        ["path"] = diagnostic.Origin.Path,
        ["fact"] = diagnostic.Fact,
        ["cure"] = diagnostic.Cure,
    };

    private static string Number(long number) => number == 0 ? "" : number.ToString(CultureInfo.InvariantCulture);

    private Task ReadyAsync(HttpContext context) => sources.HasSynced
        ? AnswerAsync(context, 200, "text/plain", "ready\n")
        : AnswerAsync(context, 503, "text/plain", $"The API has not been read yet: {Unread()}\n");

    private string Unread() =>
        string.Join(", ", sources.Informers.Where(informer => !informer.HasSynced).Select(informer => informer.Kind.Plural));

    private string Metrics()
    {
        var view = loop.View;
        return counters.Render(proxies.Count, view.Services, view.VirtualServices, state.Objects.BrokenCount, authority.Issued);
    }

    private JsonArray Syncz()
    {
        var now = time.GetUtcNow();
        var list = new JsonArray();
        foreach (var status in proxies.Statuses)
        {
            var types = new JsonObject();
            foreach (var type in status.Types)
            {
                types[type.Type] = new JsonObject
                {
                    ["state"] = type.State,
                    ["sent"] = Number(type.Sent),
                    ["sentAgeSeconds"] = type.Sent == 0 ? null : (now - type.SentAt).TotalSeconds,
                    ["acked"] = Number(type.Acknowledged),
                    ["ackedAgeSeconds"] = type.Acknowledged == 0 ? null : (now - type.AcknowledgedAt).TotalSeconds,
                    ["reason"] = type.Reason,
                };
            }

            list.Add(new JsonObject
            {
                ["proxy"] = status.Name,
                ["nodeId"] = status.NodeId,
                ["clusterId"] = status.Cluster,
                ["version"] = status.Version,
                ["connectedAt"] = status.ConnectedAt.ToString("O", CultureInfo.InvariantCulture),
                ["types"] = types,
            });
        }

        return list;
    }

    private Task ConfigDumpAsync(HttpContext context) => WithPlanAsync(context, plan => new JsonObject
    {
        ["configs"] = new JsonArray(
            Section(plan, "Clusters", "dynamic_active_clusters", "cluster", TypeUrls.Cluster),
            Section(plan, "Endpoints", "dynamic_endpoint_configs", "endpoint_config", TypeUrls.Endpoints),
            Section(plan, "Listeners", "dynamic_listeners", "listener", TypeUrls.Listener),
            Section(plan, "Routes", "dynamic_route_configs", "route_config", TypeUrls.RouteTable)),
    });

    /// <summary>The same plan in the form that travels, for programs that walk it.</summary>
    private Task PlanAsync(HttpContext context) => WithPlanAsync(context, plan => new JsonObject
    {
        ["snapshot"] = plan.Snapshot,
        ["resources"] = new JsonArray([.. plan.Resources.All.Select(resource => new JsonObject
        {
            ["type"] = resource.TypeUrl,
            ["name"] = resource.Name,
            ["version"] = resource.Version,
            ["body"] = resource.Body.ToBase64(),
        })]),
    });

    private Task WithPlanAsync(HttpContext context, Func<ProxyPush, JsonObject> show)
    {
        var name = context.Request.Query["proxyID"].ToString();
        if (proxies.Find(name) is not { } stream)
        {
            return AnswerAsync(context, 404, "text/plain", $"No proxy '{name}' is connected. /debug/syncz lists those that are.\n");
        }

        return stream.Plan is { } plan
            ? JsonAsync(context, show(plan))
            : AnswerAsync(context, 503, "text/plain", $"Proxy '{name}' has no plan yet.\n");
    }

    private static JsonObject Section(ProxyPush plan, string section, string list, string field, string typeUrl)
    {
        var entries = new JsonArray();
        foreach (var resource in plan.Resources.Of(typeUrl))
        {
            var entry = new JsonObject { ["version_info"] = resource.Version, [field] = MessageJson.Of(typeUrl, resource.Body) };

            // Envoy has one more level for listeners.
            entries.Add(typeUrl == TypeUrls.Listener ? new JsonObject { ["name"] = resource.Name, ["active_state"] = entry } : entry);
        }

        return new JsonObject { ["@type"] = $"type.googleapis.com/envoy.admin.v3.{section}ConfigDump", [list] = entries };
    }

    private JsonObject Diagnostics()
    {
        var objects = new JsonArray();
        foreach (var entry in state.Objects.Entries.Where(entry => entry.Diagnostics.Count > 0))
        {
            objects.Add(new JsonObject
            {
                ["object"] = entry.Key.ToString(),
                ["inForce"] = !entry.IsBroken,
                ["version"] = entry.Version,
                ["versionInForce"] = entry.GoodVersion,
                ["findings"] = new JsonArray([.. entry.Diagnostics.Select(Finding)]),
            });
        }

        return new JsonObject { ["objects"] = objects, ["mesh"] = new JsonArray([.. loop.View.Findings.Select(Finding)]) };
    }

    private JsonObject Registryz()
    {
        var world = loop.View.World;
        var services = new JsonArray();
        foreach (var service in world.Services)
        {
            services.Add(new JsonObject
            {
                ["hostname"] = service.Host,
                ["addresses"] = new JsonArray([.. service.Addresses.Select(address => (JsonNode)address)]),
                ["headless"] = service.Headless,
                ["ports"] = new JsonArray([.. service.Ports.Select(port => new JsonObject
                {
                    ["name"] = port.Name,
                    ["port"] = port.Port,
                    ["protocol"] = port.Protocol.ToString(),
                    ["targetPort"] = port.TargetPort,
                })]),
            });
        }

        var endpoints = new JsonArray();
        foreach (var each in world.Endpoints)
        {
            endpoints.Add(new JsonObject
            {
                ["service"] = $"{each.ServiceHost}:{each.ServicePort.ToString(CultureInfo.InvariantCulture)}",
                ["endpoints"] = new JsonArray([.. each.Endpoints.Select(endpoint => new JsonObject
                {
                    ["address"] = PlaceOf(endpoint),
                    ["ready"] = endpoint.Ready,
                    ["pod"] = endpoint.Workload?.Name,
                    ["namespace"] = endpoint.Workload?.Namespace,
                    ["meshed"] = endpoint.Workload?.Meshed ?? false,
                })]),
            });
        }

        return new JsonObject { ["services"] = services, ["endpoints"] = endpoints };
    }

    private static string PlaceOf(Model.World.Endpoint endpoint) => endpoint.Address.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{endpoint.Address}]:{endpoint.Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{endpoint.Address}:{endpoint.Port}");
}
