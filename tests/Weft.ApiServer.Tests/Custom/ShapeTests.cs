// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.Dialects.Yaml;
using Xunit;

namespace Weft.ApiServer.Tests.Custom;

/// <summary>
/// Definitions of our own in the shapes that Gateway API, Istio, Linkerd, Cilium and Flagger give theirs load without a warning, and their
/// objects are completed and refused as their rules say.
/// </summary>
public sealed class ShapeTests : IAsyncLifetime
{
    private const string Group = "/apis/shapes.example.com/v1";

    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Custom", "shapes"), "*.yaml"))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
            {
                Content = new StringContent(Json(await File.ReadAllTextAsync(file)), System.Text.Encoding.UTF8, "application/json"),
            };
            using var answer = await _server.SendRawAsync(request);
            Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
            Assert.False(answer.Headers.Contains("Warning"), string.Join('\n', answer.Headers.TryGetValues("Warning", out var said) ? said : []));
        }
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_portal_gets_its_defaults_columns_and_status()
    {
        await MakeAsync("portals", "Portal", "{className: c, listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: HTTPS, tls: {certificates: [x], options: {}}}]}");
        var (_, made) = await _server.GetAsync(Group + "/namespaces/default/portals/x");
        Assert.Equal("Same", (string)made["spec"]!["listeners"]![0]!["allowedRoutes"]!["namespaces"]!["from"]!);
        Assert.Equal("Terminate", (string)made["spec"]!["listeners"]![1]!["tls"]!["mode"]!);
        var (_, table) = await _server.GetAsync(
            Group + "/namespaces/default/portals", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
        Assert.Equal(["Name", "Class", "Address", "Ready", "Age"], table["columnDefinitions"]!.AsArray().Select(column => (string)column!["name"]!));
        Assert.Equal("Unknown", (string)table["rows"]![0]!["cells"]![3]!);
    }

    [Theory]
    [InlineData("portals", "{className: c, listeners: [{name: a, port: 80, protocol: HTTP, tls: {}}]}", "TLS belongs to protocols with TLS")]
    [InlineData("portals", "{className: c, listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]}", "different hosts")]
    [InlineData("portals", "{className: c, listeners: [{name: a, port: 80, protocol: HTTP}, {name: a, port: 81, protocol: HTTP}]}", "spec.listeners[1]: Duplicate value:")]
    [InlineData("portals", "{className: c, listeners: [{name: a, port: 80, protocol: HTTP}], addresses: [{value: not-an-address}]}", "must validate one and only one schema (oneOf)")]
    [InlineData("portals", "{className: c, listeners: [{name: a, port: 80, protocol: HTTP}], addresses: [{type: Hostname, value: A_b}]}", "a host name has letters")]
    [InlineData("portals", "{className: c, listeners: [{name: a, port: 80, protocol: HTTP}], addresses: [{value: 10.0.0.1}, {value: 10.0.0.1}]}", "addresses are told apart")]
    [InlineData("paths", "{hosts: [10.0.0.1]}", "spec.hosts[0]: Invalid value: \"string\": a host is no address")]
    [InlineData("paths", "{rules: [{matches: [{path: {type: Exact, value: x}}]}]}", "a path starts with a slash")]
    [InlineData("paths", "{rules: [{filters: [{type: Redirect}]}]}", "the type Redirect wants redirect")]
    [InlineData("paths", "{rules: [{filters: [{type: Redirect, redirect: {port: http}}], backends: [{name: s, port: 1}]}]}", "who redirects has no backends")]
    [InlineData("paths", "{rules: [{backends: [{name: s}]}]}", "a Service wants a port")]
    [InlineData("paths", "{rules: [{backends: [{name: s, port: 1, namespace: kube-system}]}]}", "not there")]
    [InlineData("paths", "{rules: [{timeouts: {request: 1s, backend: 2s}}]}", "the backend's time is within the request's")]
    [InlineData("rulings", "{selector: {}, target: {kind: a, name: b}}", "a selector or a target")]
    [InlineData("rulings", "{replicas: 11}", "spec.replicas: Forbidden: at most 10, not 11")]
    [InlineData("rulings", "{keysFrom: 'ftp://a.example'}", "http or https")]
    [InlineData("rulings", "{ports: {'70000': {}}}", "keys are ports")]
    [InlineData("rulings", "{networks: [10.0.0.0/8, 10.0.0.0/8]}", "Duplicate value")]
    [InlineData("rulings", "{networks: [ten]}", "an address or a network")]
    [InlineData("rulings", "{weight: 0.3}", "should be a multiple of 0.5")]
    [InlineData("rulings", "{template: {kind: X}}", "must not be empty")]
    public async Task An_object_that_breaks_a_rule_is_refused_with_its_words(string plural, string spec, string words)
    {
        var (code, answer) = await PostAsync(plural, spec);
        Assert.True(code == HttpStatusCode.UnprocessableEntity, $"{code} {answer.ToJsonString()}");
        Assert.Contains(words, (string)answer["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("paths", "{}")]
    [InlineData("paths", "{rules: [{filters: [{type: Redirect, redirect: {port: http}}]}, {backends: [{name: s, port: 80}], timeouts: {request: 2s, backend: 1s}}]}")]
    [InlineData("rulings", "{selector: {matchLabels: {a: b}}, ports: {'80': {mode: x}}, networks: [10.0.0.0/8, '::1'], memory: 5Gi, weight: 0.5}")]
    [InlineData("rulings", "{anything: [1, {a: b}], settings: {x: {y: 1}}, template: {apiVersion: v1, kind: Pod, spec: {}}, memory: 12, keysFrom: 'https://a.example/k'}")]
    public async Task An_object_that_keeps_the_rules_is_stored(string plural, string spec)
    {
        var (code, answer) = await PostAsync(plural, spec);
        Assert.True(code == HttpStatusCode.Created, $"{code} {answer.ToJsonString()}");
    }

    private async Task MakeAsync(string plural, string kind, string spec)
    {
        var (code, answer) = await PostAsync(plural, spec);
        Assert.True(code == HttpStatusCode.Created, $"{kind}: {answer.ToJsonString()}");
    }

    private Task<(HttpStatusCode Code, JsonNode Body)> PostAsync(string plural, string spec)
    {
        var kind = plural switch { "portals" => "Portal", "paths" => "Path", _ => "Ruling" };
        var path = plural is "rulings" ? $"{Group}/{plural}" : $"{Group}/namespaces/default/{plural}";
        return _server.PostAsync(path, Json($"{{apiVersion: shapes.example.com/v1, kind: {kind}, metadata: {{name: x}}, spec: {spec}}}"));
    }

    private static string Json(string yaml)
    {
        var document = Assert.Single(YamlReader.Read("", yaml));
        Assert.True(document.Diagnostics.Count == 0, string.Join('\n', document.Diagnostics.Select(problem => $"{problem.Origin.Position.Line}: {problem.Fact}")));
        return JsonNodes.ToJson(document.Root!)!.ToJsonString();
    }
}
