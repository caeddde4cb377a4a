// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.Kubernetes.Tests.Fakes;

namespace Weft.Kubernetes.Tests;

public sealed class InformerTests : IAsyncLifetime
{
    private readonly CancellationTokenSource _stop = new(TimeSpan.FromSeconds(30));
    private readonly BlockingCollection<Change> _changes = [];
    private FakeApi _api = null!;
    private KubernetesClient _client = null!;
    private Informer _informer = null!;
    private Task _run = Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _api = await FakeApi.StartAsync();
        _client = new KubernetesClient(_api.Endpoint);
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        _client.Dispose();
        await _api.DisposeAsync();
        _stop.Dispose();
        _changes.Dispose();
    }

    [Fact]
    public async Task It_lists_then_follows()
    {
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "a"));
        await StartAsync();
        Expect(ChangeType.Added, "a");

        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "b"));
        Expect(ChangeType.Added, "b");
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "a"));
        Assert.NotNull(Expect(ChangeType.Modified, "a").Previous);
        _api.Remove(Kinds.Pod, "shop", "a");
        Expect(ChangeType.Deleted, "a");

        Assert.Equal("b", Assert.Single(_informer.Items).Name());
        Assert.Equal("Pod", _informer.Find("shop", "b")!.Kind());
    }

    [Fact]
    public async Task A_watch_that_ends_is_resumed_where_it_was()
    {
        await StartAsync();
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "a"));
        var first = Expect(ChangeType.Added, "a");

        _api.CutWatches();
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "b"));
        Expect(ChangeType.Added, "b");

        Assert.Single(Lists());
        Assert.Contains(_api.Requests, request => request.Contains($"resourceVersion={first.Object.ResourceVersion()}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_line_cut_in_half_is_no_event_and_loses_none()
    {
        await StartAsync();
        _api.CutWatches(middleOfLine: true);
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "a"));
        Expect(ChangeType.Added, "a");
        Assert.Single(Lists());
    }

    [Fact]
    public async Task Forgotten_history_means_a_new_list_and_its_differences()
    {
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "gone"));
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "kept"));
        await StartAsync();
        Expect(ChangeType.Added, "gone");
        Expect(ChangeType.Added, "kept");

        // While nobody watches: one object goes, one comes, and the server forgets how.
        _api.FailNext("/api/v1/pods", 503);
        _api.CutWatches();
        _api.Remove(Kinds.Pod, "shop", "gone");
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "new"));
        _api.ForgetHistory();

        Expect(ChangeType.Added, "new");
        Expect(ChangeType.Deleted, "gone");
        Assert.Equal(2, Lists().Count());
        Assert.Equal(["kept", "new"], _informer.Items.Select(item => item.Name()).Order());
    }

    [Fact]
    public async Task A_bookmark_moves_the_place_without_a_change()
    {
        await StartAsync();
        _api.Send(new JsonObject
        {
            ["type"] = "BOOKMARK",
            ["object"] = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = "777" } },
        });
        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "a"));
        Expect(ChangeType.Added, "a");
        Assert.Empty(_changes);

        _api.Send(new JsonObject
        {
            ["type"] = "BOOKMARK",
            ["object"] = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = "778" } },
        });
        await UntilAsync(() => _informer.ResourceVersion == "778");
    }

    [Fact]
    public async Task A_server_that_is_not_there_yet_is_waited_for()
    {
        var failures = new ConcurrentQueue<Exception>();
        _api.FailNext("/api/v1/pods", 503);
        _api.FailNext("/api/v1/pods", 500);
        await StartAsync(informer => informer.Failed += (error, _) => failures.Enqueue(error));
        Assert.Equal(2, failures.Count);
        Assert.All(failures, error => Assert.IsType<KubernetesException>(error));
    }

    [Fact]
    public async Task An_optional_kind_may_appear_later()
    {
        _api.Unknown["pods"] = true;
        await StartAsync();
        Assert.Empty(_informer.Items);

        _api.Put(Kinds.Pod, KubernetesClientTests.Item("shop", "a"));
        _api.Unknown.Clear();
        Expect(ChangeType.Added, "a");
    }

    [Fact]
    public void Backoff_doubles_to_its_limit_and_spreads()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), new Random(1));
        var delays = Enumerable.Range(0, 50).Select(_ => backoff.Next().TotalMilliseconds).ToArray();
        Assert.InRange(delays[0], 50, 100);
        Assert.InRange(delays[2], 200, 400);
        Assert.All(delays[10..], delay => Assert.InRange(delay, 500, 1000));
        Assert.True(delays[10..].Distinct().Count() > 30);
        backoff.Reset();
        Assert.InRange(backoff.Next().TotalMilliseconds, 50, 100);
    }

    private IEnumerable<string> Lists() => _api.Requests.Where(request => !request.Contains("watch", StringComparison.Ordinal));

    private async Task StartAsync(Action<Informer>? prepare = null)
    {
        _informer = new Informer(_client, Kinds.Pod, TimeProvider.System, new InformerOptions
        {
            OptionalKind = true,
            FirstDelay = TimeSpan.FromMilliseconds(5),
            MaxDelay = TimeSpan.FromMilliseconds(50),
        });
        _informer.Changed += _changes.Add;
        prepare?.Invoke(_informer);
        _run = _informer.RunAsync(_stop.Token);
        await _informer.WhenSyncedAsync(_stop.Token);
        if (_api.Unknown.IsEmpty)
        {
            await UntilAsync(() => _api.Requests.Any(request => request.Contains("watch", StringComparison.Ordinal)));
        }
    }

    private Change Expect(ChangeType type, string name)
    {
        var change = _changes.Take(_stop.Token);
        Assert.Equal((type, name), (change.Type, change.Object.Name()));
        return change;
    }

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(5, _stop.Token);
        }
    }
}
