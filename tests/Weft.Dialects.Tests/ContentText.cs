// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Dialects.Istio;
using Weft.Dialects.Kubernetes;
using Weft.Model;
using Weft.Model.Intent;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Dialects.Tests;

/// <summary>What objects mean, in the short form that case files hold: only what was said, one thing a line.</summary>
internal static class ContentText
{
    public static string Of(ParsedText parsed)
    {
        var text = new StringBuilder();
        foreach (var item in parsed.Objects)
        {
            text.Append($"{item.Origin.Kind} {Name(item)}".TrimEnd()).Append(item.IsValid ? "\n" : " (refused)\n");
            foreach (var line in Lines(item.Content))
            {
                text.Append("  ").Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Name(ParsedObject item) =>
        item.Origin.Namespace.Length == 0 ? item.Origin.Name : $"{item.Origin.Namespace}/{item.Origin.Name}";

    private static IEnumerable<string> Lines(ParsedContent content) => content switch
    {
        { Intent: RouteIntent routes } => Lines(routes),
        { Intent: DestinationIntent destination } => Lines(destination),
        { Intent: PeerIntent peers } => Lines(peers),
        { Intent: AccessIntent access } => Lines(access),
        { Intent: GatewayIntent gateway } => Lines(gateway),
        { Intent: SidecarIntent sidecar } => Lines(sidecar),
        { Service: { } service } => Lines(service),
        { Entry: { } entry } => Lines(entry),
        { Outsider: { } outsider } => Lines(outsider),
        { Mesh: { } mesh } => [$"any outbound {mesh.AllowAnyOutbound} connect {mesh.ConnectTimeoutMs} dns {mesh.DnsRefreshMs} mTLS {mesh.AutoMtls} {(mesh.Localities is { } l ? Text(l) : "")}", .. Rest(mesh)],
        { Workload: { } workload } => Lines(workload),
        { Slice: { } slice } => Lines(slice),
        { Node: { } node } => [$"stands in '{node.Locality}'"],
        { Namespace: { } ns } => [$"labels {Labels(ns.Labels)}"],
        _ => [],
    };

    private static IEnumerable<string> Lines(AccessIntent access)
    {
        yield return $"{access.Action} for {(access.Selector is { } selector ? Labels(selector.MatchLabels) : "all")} in {access.Namespace}{(access.IsDryRun ? ", dry run" : "")}";
        foreach (var rule in access.Rules.AsEnumerable())
        {
            yield return $"rule{(rule.IsIncomplete ? " (incomplete)" : "")}";
            foreach (var line in rule.From.Select(term => $"  from {Text(term.Clauses)}").Concat(rule.To.Select(term => $"  to {Text(term.Clauses)}")))
            {
                yield return line;
            }

            if (rule.When.Count > 0)
            {
                yield return $"  when {Text(rule.When)}";
            }
        }
    }

    private static string Text(EquatableArray<AuthorizationClausePlan> clauses) => string.Join(" and ", clauses.Select(clause =>
        $"{(clause.Not ? "not " : "")}({string.Join(" or ", clause.AnyOf.Select(m => $"{m.Attribute}{(m.Key.Length > 0 ? $"[{m.Key.Replace('\n', '|')}]" : "")} {m.Kind}{(m.Value.Length > 0 ? $" {m.Value}" : "")}"))})"));

    private static IEnumerable<string> Lines(SidecarIntent sidecar)
    {
        yield return $"for {(sidecar.Clients is { } clients ? Labels(clients.MatchLabels) : "all")} allows any {sidecar.AllowsAnyOutbound}";
        foreach (var import in (sidecar.Imports ?? []).AsEnumerable())
        {
            yield return $"sees {import.Namespace}/{import.Host}:{import.Port}";
        }

        foreach (var ingress in (sidecar.Ingress ?? []).AsEnumerable())
        {
            yield return $"takes {ingress.Port} '{ingress.PortName}' {ingress.Protocol} for {ingress.Address}:{ingress.TargetPort}"
                + (ingress.Tls is { } tls ? $" with TLS {tls.Mode}" : "") + (ingress.Limits is { } limits ? $" at most {limits.MaxConnections} connections" : "");
        }

        foreach (var listener in sidecar.Egress.AsEnumerable())
        {
            yield return $"listens at {listener.Address}:{listener.Port} for {listener.Protocol}{(listener.IsBound ? ", bound" : "")}";
        }

        if (sidecar.EgressProxy is { } proxy)
        {
            yield return $"everything else goes to {proxy.Host}:{proxy.Port} {proxy.Subset}".TrimEnd();
        }

        if (sidecar.InboundLimits is { } inbound)
        {
            yield return $"at most {inbound.MaxRequests} requests come in";
        }
    }

    private static IEnumerable<string> Rest(MeshConfigSpec mesh)
    {
        var said = new (string Name, object? Value)[]
        {
            ("inspects", mesh.InspectTimeoutMs), ("keepalive", mesh.TcpKeepAlive), ("upgrade", mesh.Upgrade), ("retries", mesh.Retries), ("path", mesh.Path),
            ("aliases", mesh.TrustDomainAliases), ("loopback", mesh.InboundToLoopback), ("exports", mesh.Exports == ExportDefaults.Everybody ? null : mesh.Exports),
        };
        return said.Where(pair => pair.Value is not null).Select(pair => $"{pair.Name} {pair.Value}");
    }

    private static IEnumerable<string> Lines(ServiceEntrySpec entry)
    {
        foreach (var service in entry.Services.AsEnumerable())
        {
            yield return $"{(service.IsExternal ? "external" : "internal")} {service.Resolution} names {service.SubjectAltNames}"
                + (service.Visibility.Everybody ? "" : $" visible in {string.Join(' ', service.Visibility.Namespaces)}");
            foreach (var line in Lines(service))
            {
                yield return line;
            }
        }

        yield return entry.Selector is { } selector ? $"served by {Labels(selector.MatchLabels)}" : $"served by {entry.Endpoints.Count}";
        foreach (var line in entry.Endpoints.SelectMany(Lines))
        {
            yield return line;
        }
    }

    private static IEnumerable<string> Lines(GatewayIntent gateway)
    {
        yield return $"selects {Labels(gateway.Selector.MatchLabels)}";
        foreach (var server in gateway.Servers.AsEnumerable())
        {
            yield return $"server {server.Name} {server.Protocol} at {server.Bind}:{server.Port} for "
                + string.Join(' ', server.Hosts.Select(h => $"{h.Namespace}/{h.Host}")) + (server.RedirectsToHttps ? " redirects to https" : "");
            if (server.Tls is { } tls)
            {
                var own = tls.Certificates.Select(c => c.Secret.Length > 0 ? c.Secret : $"{c.ChainFile}+{c.KeyFile}");
                yield return $"  tls {tls.Mode} {string.Join(' ', own)}".TrimEnd();
                if (tls.Clients is { } clients)
                {
                    string[] words = [clients.Secret, clients.CaFile, clients.CrlFile, .. clients.SubjectAltNames, .. clients.KeyPins, .. clients.CertificatePins];
                    yield return $"  clients {string.Join(' ', words.Where(word => word.Length > 0))}";
                }

                if (tls.Parameters != TlsParametersPlan.Default)
                {
                    yield return $"  versions {tls.Parameters.Min} to {tls.Parameters.Max} {string.Join(' ', tls.Parameters.Ciphers)}".TrimEnd();
                }
            }
        }
    }

    private static IEnumerable<string> Lines(RouteIntent routes)
    {
        yield return $"hosts {string.Join(' ', routes.Hosts)}";
        yield return $"gateways {string.Join(' ', routes.Gateways)}";
        if (!routes.Visibility.Everybody)
        {
            yield return $"visible in {string.Join(' ', routes.Visibility.Namespaces)}";
        }

        foreach (var rule in routes.Http.AsEnumerable())
        {
            yield return $"rule{(rule.Name.Length == 0 ? "" : " " + rule.Name)} at {rule.Origin.Path}";
            foreach (var line in Lines(rule))
            {
                yield return "  " + line;
            }
        }

        foreach (var (kind, rule) in routes.Tls.Select(r => ("tls", r)).Concat(routes.Tcp.Select(r => ("tcp", r))))
        {
            yield return $"{kind} rule at {rule.Origin.Path}";
            foreach (var line in rule.Matches.Select(Match).Concat(rule.Destinations.Select(To)))
            {
                yield return "  " + line;
            }
        }
    }

    private static string To(Destination destination) =>
        $"to {destination.Host}:{destination.Port} {destination.Subset} weight {destination.Weight}"
        + Headers(" request", destination.RequestHeaders) + Headers(" response", destination.ResponseHeaders);

    private static string Match(ConnectionMatch match) => "when"
        + (match.ServerNames.Count == 0 ? "" : $" server name {string.Join(' ', match.ServerNames)}")
        + (match.Networks.Count == 0 ? "" : $" to {string.Join(' ', match.Networks)}")
        + (match.Port == 0 ? "" : $" port {match.Port}")
        + (match.SourceLabels.MatchLabels.Count == 0 ? "" : $" from {Labels(match.SourceLabels.MatchLabels)}")
        + (match.SourceNamespace.Length == 0 ? "" : $" from namespace {match.SourceNamespace}");

    private static IEnumerable<string> Lines(HttpRule rule)
    {
        if (rule.Delegate is { } delegation)
        {
            yield return $"delegates to {delegation}";
        }

        foreach (var match in rule.Matches.AsEnumerable())
        {
            yield return "when " + Match(match);
        }

        foreach (var destination in rule.Destinations.AsEnumerable())
        {
            yield return To(destination);
        }

        if (rule.Redirect is { } redirect)
        {
            yield return redirect.ToString();
        }

        if (rule.Direct is { } direct)
        {
            yield return direct.ToString();
        }

        if (rule.Rewrite is { } rewrite)
        {
            yield return rewrite.ToString();
        }

        if (rule.Fault is { } fault)
        {
            yield return fault.ToString();
        }

        if (rule.TimeoutMs > 0)
        {
            yield return $"timeout {rule.TimeoutMs}ms";
        }

        foreach (var mirror in rule.Mirrors.AsEnumerable())
        {
            yield return $"  mirror to {mirror.Destination.Host}:{mirror.Destination.Port} {mirror.Destination.Subset} ppm {mirror.Ppm}";
        }

        if (rule.Cors is { } cors)
        {
            yield return $"  {cors}";
        }

        foreach (var line in Lines(rule.Retries))
        {
            yield return line;
        }

        foreach (var headers in new[] { Headers("request", rule.RequestHeaders), Headers("response", rule.ResponseHeaders) })
        {
            if (headers.Length > 0)
            {
                yield return headers;
            }
        }
    }

    private static string Match(HttpMatch match)
    {
        var text = new StringBuilder();
        text.Append("path ").Append(Text(match.Request.Path));
        foreach (var header in match.Request.Headers)
        {
            text.Append($" header {header.Name} {Text(header.Text)}");
        }

        foreach (var parameter in match.Request.QueryParameters)
        {
            text.Append($" query {parameter.Name} {Text(parameter.Text)}");
        }

        text.Append(match.Port == 0 ? "" : $" port {match.Port}");
        text.Append(match.SourceLabels.MatchLabels.Count == 0 ? "" : $" from {Labels(match.SourceLabels.MatchLabels)}");
        text.Append(match.SourceNamespace.Length == 0 ? "" : $" from namespace {match.SourceNamespace}");
        text.Append(match.Gateways.Count == 0 ? "" : $" gateways {string.Join(' ', match.Gateways)}");
        return text.Append(match.Name.Length == 0 ? "" : $" ({match.Name})").ToString();
    }

    private static string Text(TextMatchPlan text) =>
        $"{(text.Invert ? "not " : "")}{text.Kind.ToString().ToLowerInvariant()}{(text.IgnoreCase ? " any case" : "")}"
        + (text.Kind == TextMatchKind.Present ? "" : $" '{text.Value}'");

    private static string Headers(string which, HeaderOperationsPlan headers) => headers.IsNone
        ? ""
        : $"{which} set [{Pairs(headers.Set)}] add [{Pairs(headers.Add)}] remove [{string.Join(' ', headers.Remove)}]";

    private static string Pairs(Model.EquatableArray<HeaderPlan> headers) =>
        string.Join(' ', headers.Select(header => $"{header.Name}={header.Value}"));

    private static IEnumerable<string> Lines(DestinationIntent destination)
    {
        yield return $"host {destination.Host}";
        if (!destination.Visibility.Everybody)
        {
            yield return $"visible in {string.Join(' ', destination.Visibility.Namespaces)}";
        }

        if (destination.Clients.MatchLabels.Count > 0)
        {
            yield return $"clients {Labels(destination.Clients.MatchLabels)}";
        }

        foreach (var line in Lines(destination.Policy))
        {
            yield return line;
        }

        foreach (var subset in destination.Subsets.AsEnumerable())
        {
            yield return $"subset {subset.Name} {Labels(subset.Labels.MatchLabels)}";
            foreach (var line in Lines(subset.Policy))
            {
                yield return "  " + line;
            }
        }
    }

    private static IEnumerable<string> Lines(TrafficPolicy policy)
    {
        if (policy.Balancer is { } balancer)
        {
            foreach (var line in Lines(balancer.Value))
            {
                yield return line;
            }
        }

        if (policy.Tls is { } tls)
        {
            yield return $"tls {tls.Mode} sni '{tls.Sni}' sans [{string.Join(' ', tls.SubjectAltNames)}] ca '{tls.CaCertificatesFile}'"
                + $" cert '{tls.ClientCertificateFile}' key '{tls.PrivateKeyFile}'{(tls.InsecureSkipVerify ? " insecure" : "")}"
                + (tls.Credential.Length > 0 ? $" credential {tls.Credential}" : "") + (tls.CrlFile.Length > 0 ? $" crl {tls.CrlFile}" : "");
        }

        if (policy.Connections is { } connections)
        {
            yield return Short("connections", connections.Value, ConnectionLimits.None);
        }

        if (policy.Outlier is { } outlier)
        {
            yield return $"outlier {outlier.Value.Detection} min health {outlier.Value.MinHealthPercent}%";
        }

        if (policy.HealthCheck is { } check)
        {
            yield return check.Value.ToString();
        }

        if (policy.ProxyProtocol is { } version)
        {
            yield return $"PROXY protocol {version.Value}";
        }

        if (policy.RetryBudget is { } budget)
        {
            yield return budget.Value.ToString();
        }

        foreach (var port in policy.Ports.AsEnumerable())
        {
            yield return $"port {port.Port}";
            foreach (var line in Lines(port.Policy))
            {
                yield return "  " + line;
            }
        }
    }

    private static IEnumerable<string> Lines(Balancing balancer)
    {
        yield return $"balancer {balancer.Kind}{(balancer.Hash is { } hash ? $" by {hash}" : "")}"
            + (balancer.HashTable == HashTablePlan.Default ? "" : $" {balancer.HashTable}");
        if (balancer.SlowStart is { } slow)
        {
            yield return slow.ToString();
        }

        if (balancer.Localities is { } localities)
        {
            yield return Text(localities);
        }
    }

    private static string Text(LocalityPolicy policy) => (policy.Enabled ? "localities" : "no localities")
        + string.Concat(policy.Distribute.Select(d => $" from {d.From}: {string.Join(' ', d.To.Select(t => $"{t.To}={t.Percent}%"))}"))
        + string.Concat(policy.Failover.Select(f => $" {f.From} then {f.To}"))
        + (policy.FailoverPriority.Count == 0 ? "" : $" by {string.Join(' ', policy.FailoverPriority)}")
        + (policy.AlwaysFailsOver ? " always" : "");

    /// <summary>The fields of a record that differ from those of another.</summary>
    private static string Short<T>(string name, T value, T usual)
        where T : class => name + string.Concat(typeof(T).GetProperties()
            .Where(p => p.GetMethod is { IsStatic: false } && p.Name != "EqualityContract" && !Equals(p.GetValue(value), p.GetValue(usual)))
            .Select(p => $" {p.Name}={p.GetValue(value)}"));

    private static IEnumerable<string> Lines(PeerIntent peers)
    {
        yield return $"{(peers.Selector is { } selector ? Labels(selector.MatchLabels) : "all")} in {peers.Namespace}: {peers.Mode}";
        foreach (var port in peers.Ports.AsEnumerable())
        {
            yield return $"port {port.Port}: {port.Mode}";
        }
    }

    private static IEnumerable<string> Lines(Service service)
    {
        yield return $"{service.Host} [{string.Join(' ', service.Addresses)}]{(service.Headless ? " headless" : "")}";
        foreach (var port in service.Ports.AsEnumerable())
        {
            yield return $"port {port.Port} '{port.Name}' {port.Protocol} to {port.TargetPort}";
        }

        foreach (var line in Lines(service.Policy.Traffic))
        {
            yield return line;
        }

        if (service.Policy.Localities is { } localities)
        {
            yield return Text(localities.Value);
        }

        foreach (var line in Lines(service.Policy.Retries))
        {
            yield return line;
        }

        if (service.Policy.TimeoutMs + service.Policy.IdleTimeoutMs > 0)
        {
            yield return $"timeout {service.Policy.TimeoutMs}ms idle {service.Policy.IdleTimeoutMs}ms";
        }
    }

    private static IEnumerable<string> Lines(Retries? retries)
    {
        if (retries is not null)
        {
            yield return $"retries {retries.Attempts} per try {retries.PerTryTimeoutMs}ms backoff {retries.BackoffBaseMs}ms"
                + (retries.BackoffMaxMs == 0 ? "" : $" to {retries.BackoffMaxMs}ms") + " on "
                + (retries.RetryOn is { } on ? string.Join(',', on) : "default")
                + (retries.AvoidsTriedEndpoints ? "" : " any endpoint")
                + (retries.LeavesTriedPriorities ? " farther away" : "");
        }
    }

    private static IEnumerable<string> Lines(Workload workload)
    {
        yield return $"{workload.Address} {(workload.Meshed ? "meshed" : "plain")} as {workload.ServiceAccount}, {Labels(workload.Labels)}";
        if (workload.Weight > 1 || workload.NodeLocality.Length > 0)
        {
            yield return $"weight {workload.Weight} at '{workload.NodeLocality}'";
        }

        yield return $"{workload.Names}";
        foreach (var port in workload.Ports.AsEnumerable())
        {
            yield return $"port {port.Port} '{port.Name}'";
        }

        if (workload.SpeaksHbone)
        {
            yield return "speaks HBONE";
        }

        if (workload.Edge != EdgeTopology.None)
        {
            yield return $"{workload.Edge}";
        }
    }

    private static IEnumerable<string> Lines(EndpointSliceSpec slice)
    {
        yield return $"of {slice.Service}: {string.Join(' ', slice.Ports.Select(port => $"'{port.Name}'={port.Port}"))}";
        foreach (var endpoint in slice.Endpoints.AsEnumerable())
        {
            yield return $"{endpoint.Address} {(endpoint.Ready ? "ready" : "not ready")} {endpoint.Pod}".TrimEnd();
        }
    }

    private static string Labels(Model.EquatableArray<Label> labels) =>
        $"{{{string.Join(", ", labels.Select(label => $"{label.Key}={label.Value}"))}}}";
}
