// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes.Tests.Fakes;

namespace Weft.Kubernetes.Tests;

public sealed class KubernetesClientTests
{
    private static readonly CancellationToken _none = CancellationToken.None;

    [Fact]
    public async Task Objects_are_created_read_patched_and_deleted()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = new KubernetesClient(api.Endpoint);

        var made = await client.CreateAsync(Kinds.ConfigMap, "shop", Item("shop", "one"), _none);
        var patched = await client.PatchAsync(
            Kinds.ConfigMap, "shop", "one", new JsonObject { ["data"] = new JsonObject { ["a"] = "1" } }, _none);
        var read = await client.GetAsync(Kinds.ConfigMap, "shop", "one", _none);
        var listed = await client.ListAsync(Kinds.ConfigMap, "shop", null, _none);
        await client.DeleteAsync(Kinds.ConfigMap, "shop", "one", _none);

        Assert.Equal("one", made.Name());
        Assert.NotEqual(made.ResourceVersion(), patched.ResourceVersion());
        Assert.Equal("1", read.Text("data", "a"));
        Assert.Equal("one", Assert.Single(listed.Objects("items")).Name());
        Assert.Null(api.Get(Kinds.ConfigMap, "shop", "one"));
    }

    [Fact]
    public async Task A_refusal_carries_code_reason_and_message()
    {
        await using var api = await FakeApi.StartAsync();
        using var client = new KubernetesClient(api.Endpoint);
        api.Put(Kinds.ConfigMap, Item("shop", "one"));

        var missing = await Assert.ThrowsAsync<KubernetesException>(() => client.GetAsync(Kinds.Pod, "shop", "no", _none));
        var twice = await Assert.ThrowsAsync<KubernetesException>(
            () => client.CreateAsync(Kinds.ConfigMap, "shop", Item("shop", "one"), _none));

        Assert.Equal((HttpStatusCode.NotFound, "NotFound", true), (missing.StatusCode, missing.Reason, missing.IsNotFound));
        Assert.Equal("pods \"no\" not found", missing.Message);
        Assert.True(twice.IsAlreadyExists);
        Assert.False(twice.IsConflict);
    }

    [Fact]
    public async Task A_line_at_the_limit_is_read_and_one_above_it_is_refused()
    {
        var limits = KubernetesLimits.Default with { MaxWatchLineBytes = 100_000 };
        await using var atLimit = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 100_000) + "\nnext\n"));
        await using var above = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 200_000) + "\n"));
        var good = new LineReader(atLimit, limits.MaxWatchLineBytes);
        var bad = new LineReader(above, limits.MaxWatchLineBytes);

        Assert.Equal(100_000, (await good.ReadAsync(_none))!.Value.Length);
        Assert.Equal("next", Encoding.UTF8.GetString((await good.ReadAsync(_none))!.Value.Span));
        Assert.Null(await good.ReadAsync(_none));
        var error = await Assert.ThrowsAsync<KubernetesException>(() => bad.ReadAsync(_none).AsTask());
        Assert.Contains("KubernetesLimits.MaxWatchLineBytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_are_cut_the_same_however_the_bytes_arrive()
    {
        var random = new Random(7);
        var lines = Enumerable.Range(0, 200).Select(_ => new string('a', random.Next(0, 3000))).ToArray();
        var bytes = Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")));
        await using var trickle = new TrickleStream(bytes, random);
        var reader = new LineReader(trickle, 100_000);

        foreach (var line in lines)
        {
            Assert.Equal(line, Encoding.UTF8.GetString((await reader.ReadAsync(_none))!.Value.Span));
        }

        Assert.Null(await reader.ReadAsync(_none));
    }

    [Theory]
    [InlineData("ftp://x")]
    [InlineData("just-a-word")]
    public void An_endpoint_that_is_none_says_what_to_write(string endpoint)
    {
        var error = Assert.Throws<ArgumentException>(() => new KubernetesClient(endpoint));
        Assert.Contains("unix:/path", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_name_group_namespace_and_subresource()
    {
        Assert.Equal("/api/v1/namespaces/shop/pods/a/log", Kinds.Pod.PathOf("shop", "a", "log"));
        Assert.Equal("/apis/networking.istio.io/v1/virtualservices", Kinds.VirtualService.PathOf(null));
        Assert.Equal("/api/v1/namespaces/shop", Kinds.Namespace.PathOf("ignored", "shop"));
        Assert.Equal(Kinds.All.Count, Kinds.All.Distinct().Count());
    }

    internal static JsonObject Item(string ns, string name) =>
        new() { ["metadata"] = new JsonObject { ["namespace"] = ns, ["name"] = name } };

    private sealed class TrickleStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 700))], cancellationToken);
    }
}
