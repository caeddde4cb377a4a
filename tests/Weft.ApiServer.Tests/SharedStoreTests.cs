// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Tests.Storage;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Two API servers on one etcd: one truth.</summary>
public sealed class SharedStoreTests : IAsyncLifetime
{
    private EtcdServer _etcd = null!;
    private TestServer _one = null!;
    private TestServer _two = null!;

    public async Task InitializeAsync()
    {
        _etcd = await EtcdServer.StartAsync();
        _one = await TestServer.StartAsync(store: StoreLocation.Parse(_etcd.Url));
        _two = await TestServer.StartAsync(store: StoreLocation.Parse(_etcd.Url));
    }

    public async Task DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _etcd.DisposeAsync();
    }

    [Fact]
    public async Task A_watch_at_one_server_sees_what_is_written_at_the_other()
    {
        const string Maps = "/api/v1/namespaces/default/configmaps";
        using var answer = await _two.SendRawAsync(new HttpRequestMessage(HttpMethod.Get, Maps + "?watch=1&fieldSelector=metadata.name%3Da"));
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var (_, made) = await _one.PostAsync(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}""");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var seen = JsonNode.Parse((await reader.ReadLineAsync(limit.Token))!)!;
        Assert.Equal(
            ("ADDED", (string)made["metadata"]!["resourceVersion"]!),
            ((string)seen["type"]!, (string)seen["object"]!["metadata"]!["resourceVersion"]!));
        var (stale, status) = await _two.SendAsync(
            HttpMethod.Put, Maps + "/a", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","resourceVersion":"1"}}""");
        Assert.Equal((HttpStatusCode.Conflict, "Conflict"), (stale, (string)status["reason"]!));
    }

    [Fact]
    public async Task Two_servers_give_no_address_and_no_port_twice()
    {
        const int Each = 25;
        var made = await Task.WhenAll(new[] { _one, _two }.SelectMany((server, side) => Enumerable.Range(0, Each).Select(async i =>
        {
            // The same node port is asked for at both sides: one of them must lose.
            var body = $$$"""
                {"apiVersion":"v1","kind":"Service","metadata":{"name":"s{{{side}}}-{{{i}}}"},
                 "spec":{"type":"NodePort","ports":[{"port":80,"nodePort":{{{30000 + i}}}}]}}
                """;
            return await server.PostAsync("/api/v1/namespaces/default/services", body);
        })));
        Assert.All(made, answer => Assert.True(
            answer.Code is HttpStatusCode.Created or HttpStatusCode.UnprocessableEntity or HttpStatusCode.ServiceUnavailable, answer.Body.ToJsonString()));
        var created = made.Where(answer => answer.Code == HttpStatusCode.Created).Select(answer => answer.Body["spec"]!).ToList();
        Assert.InRange(created.Count, 1, Each);
        Assert.Equal(created.Count, created.Select(spec => (string)spec["clusterIP"]!).Distinct().Count());
        Assert.Equal(created.Count, created.Select(spec => (int)spec["ports"]![0]!["nodePort"]!).Distinct().Count());
    }
}
