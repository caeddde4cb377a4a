// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>
/// The traffic examples of the documents that Weft was written from: each is applied with kubectl, and requests show what it does.
/// Seeds/examples.txt names every example and its test.
/// </summary>
public sealed partial class ExampleTests(ExampleWorld world) : IClassFixture<ExampleWorld>
{
    private const string Api = "http://api-service/";
    private const int Many = 1_000;

    [Fact]
    public void Every_example_of_the_documents_has_its_test_or_its_reason()
    {
        var rows = ExampleWorld.Rows();
        Assert.All(rows.Where(row => row.File != "-"), row => Assert.True(File.Exists(ExampleWorld.PathOf(row.File)), row.Place));
        foreach (var (place, file, test) in rows)
        {
            var named = TestName().Match(test);
            Assert.True(named.Success || (file == "-" && test.Length > 20), $"{place} has neither a test nor a reason");
            if (named.Success)
            {
                var type = Assembly.GetExecutingAssembly().GetType($"{typeof(ExampleTests).Namespace}.{named.Groups[1].Value}");
                Assert.True(type?.GetMethod(named.Groups[2].Value) is not null, $"{place}: there is no test {test}");
            }
        }

        var places = rows.Select(row => row.Place).ToList();
        foreach (var document in SeedTests.Documents())
        {
            Assert.All(ExampleWorld.Blocks(document), block => Assert.Contains(block.Place, places));
        }
    }

    [Fact]
    public Task A_header_chooses_the_canary_weights_share_the_rest_and_a_user_stays_with_a_pod() => world.ShowAsync("canary.yaml", async _ =>
    {
        await UntilAsync(Api, "v2", "x-user-group: beta");
        Assert.All(await world.AskAsync(Api, 20, "x-user-group: beta"), reply => Assert.Equal("v2", reply.Version));
        await ShareAsync(Api, "v1", "v2");
        var pods = new HashSet<string>(StringComparer.Ordinal);
        for (var user = 0; user < 12; user++)
        {
            var replies = (await world.AskAsync(Api, 10, $"x-user-id: {user}")).Where(reply => reply.Version == "v1").Select(reply => reply.Pod).Distinct().ToList();
            Assert.True(replies.Count <= 1, $"User {user} was served by {string.Join(", ", replies)}");
            pods.UnionWith(replies);
        }

        // Twelve users of two pods: that all of them fall on one happens once in two thousand rings, and the ring is always the same one.
        Assert.Equal(2, pods.Count);
    });

    [Fact]
    public Task Weights_share_the_requests() =>
        world.ShowAsync("split.yaml", _ => ShareAsync("http://backend/", "v1", "v2"), Manifests.Subsets("default", "backend"));

    [Fact]
    public Task Headers_choose_version_and_backend() => world.ShowAsync(
        "headers.yaml",
        async _ =>
        {
            await UntilAsync(Api, "v2", "api-version: v2");
            Assert.All(await world.AskAsync(Api, 5, "user-agent: A Mobile phone"), reply => Assert.Equal("mobile", reply.Version));
            Assert.All(await world.AskAsync(Api, 20), reply => Assert.Equal("v1", reply.Version));
        },
        Manifests.Subsets("default", "api-service"));

    [Fact]
    public Task One_object_routes_by_header_path_and_share() => world.ShowAsync(
        "many-rules.yaml",
        async _ =>
        {
            await UntilAsync("http://my-app/", "v2", "x-version: v2");
            var rewritten = (await world.AskAsync("http://my-app/api/v2/things")).Single();
            Assert.Equal(("v2", "/api/things?n=1"), (rewritten.Version, rewritten.Path));
            await ShareAsync("http://my-app/", "v1", "v2");
        },
        Manifests.Subsets("default", "my-app"));

    [Theory]
    [InlineData("timeout.yaml", "http://api-service/")]
    [InlineData("production-timeout.yaml", "http://api.production/")]
    public Task A_request_ends_when_its_time_is_over(string file, string url) => world.ShowAsync(file, async yaml =>
    {
        var limit = int.Parse(Timeout().Match(yaml).Groups[1].Value, CultureInfo.InvariantCulture);

        // The first request may wait for a proxy that has only just started.
        await Wait.UntilAsync(
            "the request is given up in time",
            async () =>
            {
                var reply = (await world.AskAsync($"{url}delay/{limit + 5}s")).Single();
                return (reply.Status == 504 && reply.Seconds >= limit - 0.1 && reply.Seconds <= limit + 2, $"{reply}");
            },
            TimeSpan.FromMinutes(3));
    });

    [Fact]
    public Task A_failed_request_is_tried_three_times_more() => world.ShowAsync("retries.yaml", _ =>
        Wait.UntilAsync("one request is taken four times", async () =>
        {
            var before = await world.TakenAsync("production", "server");
            var reply = (await world.AskAsync("http://api.production/status/500")).Single();
            var taken = await world.TakenAsync("production", "server") - before;
            return (reply.Status == 500 && taken == 4, $"{reply.Status}, taken {taken} times");
        }));

    [Fact]
    public Task A_tenth_of_the_requests_is_copied() => world.ShowAsync("mirror.yaml", async _ =>
    {
        await Wait.UntilAsync("copies are made", async () =>
        {
            var first = await world.TakenAsync("default", "mobile");
            var replies = await world.AskAsync(Api, 100);
            var copies = await world.TakenAsync("default", "mobile") - first;
            return (copies is > 0 and < 100 && replies.TrueForAll(reply => reply.Version is "v1" or "v2"), $"{copies} copies");
        });
        var before = await world.TakenAsync("default", "mobile");
        Assert.All(await world.AskAsync(Api, Many), reply => Assert.True(reply is { Status: 200, Version: "v1" or "v2" }, $"{reply}"));
        await Wait.UntilAsync("a tenth has been copied", async () =>
        {
            var copies = await world.TakenAsync("default", "mobile") - before;
            return (copies is >= 50 and <= 150, $"{copies} copies");
        });
    });

    [Fact]
    public Task A_breaker_refuses_what_is_too_much_trips_at_a_failure_and_recovers() => world.ShowAsync("breaker.yaml", async yaml =>
    {
        const string Url = "http://backend-service/";
        await Wait.UntilAsync("too many at once are refused", async () =>
        {
            var statuses = (await world.AskAtOnceAsync(Url + "delay/500ms", 12)).Select(reply => reply.Status).ToList();
            return (statuses.Contains(503) && statuses.Contains(200), string.Join(' ', statuses));
        });
        await TripsAsync(Url);
        if (yaml.Contains("baseEjectionTime: 2s", StringComparison.Ordinal))
        {
            await Wait.UntilAsync("the server that was taken out is asked again", async () =>
            {
                var replies = await world.AskAsync(Url, 20);
                return (replies.Exists(reply => reply.Version == "bad"), string.Join(' ', replies.Select(reply => reply.Status)));
            });
        }
    });

    [Theory]
    [InlineData("outliers.yaml", "default", "backend", "http://backend/")]
    [InlineData("app-outliers.yaml", "default", "my-app", "http://my-app/")]
    [InlineData("production-outliers.yaml", "production", "api", "http://api.production/")]
    public async Task A_server_that_fails_in_a_row_gets_no_requests(string file, string ns, string service, string url)
    {
        await world.PointAsync(ns, service, "pair");
        try
        {
            await world.ShowAsync(file, _ => TripsAsync(url));
        }
        finally
        {
            await world.PointAsync(ns, service, "server");
        }
    }

    [Fact]
    public Task Faults_delay_and_abort_the_requests_that_ask_for_them() => world.ShowAsync("faults.yaml", async yaml =>
    {
        var delay = int.Parse(Delay().Match(yaml).Groups[1].Value, CultureInfo.InvariantCulture);
        await Wait.UntilAsync("who asks for it waits", async () =>
        {
            var reply = (await world.AskAsync(Api, 1, "x-test-fault: true")).Single();
            return (reply.Seconds >= delay, $"{reply}");
        });
        Assert.All(await world.AskAsync(Api, 20), reply => Assert.True(reply.Status != 500 && reply.Seconds < delay, $"{reply}"));

        // A tenth or a fifth of a hundred, with a deviation of 3 or 4.
        var replies = await world.AskAtOnceAsync(Api, 100, "x-test-fault: true");
        Assert.All(replies, reply => Assert.True(reply.Seconds >= delay, $"{reply}"));
        Assert.InRange(replies.Count(reply => reply.Status == 500), 1, 40);
    });

    [Fact]
    public Task A_filter_at_the_ingress_limits_the_requests() => world.ShowAsync("limit.yaml", async yaml =>
    {
        const string Ingress = "http://examples-ingress.istio-system/";
        var replies = new List<Reply>();
        await Wait.UntilAsync("the hundred and first request is refused", async () =>
        {
            replies = await world.AskAsync(Ingress, 120);
            return (replies.Exists(reply => reply.Status == 429), string.Join(' ', replies.Select(reply => reply.Status).Distinct()));
        });
        var refused = replies.First(reply => reply.Status == 429);
        Assert.Equal("local_rate_limited", refused.Text);
        Assert.Equal(yaml.Contains("x-rate-limit-remaining", StringComparison.Ordinal) ? "0" : "", refused.Remaining);
    });

    private async Task UntilAsync(string url, string version, params string[] headers) =>
        await Wait.UntilAsync($"{version} answers", async () =>
        {
            var replies = await world.AskAsync(url, 10, headers);
            return (replies.TrueForAll(reply => reply.Version == version), string.Join(' ', replies.Select(reply => $"{reply.Status} {reply.Version}")));
        });

    /// <summary>A tenth of a thousand, with a deviation of 9.5.</summary>
    private async Task ShareAsync(string url, string most, string few)
    {
        await Wait.UntilAsync("both versions answer", async () =>
        {
            var replies = await world.AskAsync(url, 50);
            var versions = replies.Select(reply => reply.Version).Distinct().Order().ToList();
            return (replies.TrueForAll(reply => reply.Status == 200) && versions.SequenceEqual(new[] { most, few }.Order()), string.Join(' ', versions));
        });
        var all = await world.AskAsync(url, Many);
        Assert.Equal(Many, all.Count(reply => reply.Version == most || reply.Version == few));
        Assert.InRange(all.Count(reply => reply.Version == few), 60, 140);
    }

    /// <summary>The server that fails is taken out: after a while only the other one answers.</summary>
    private async Task TripsAsync(string url)
    {
        var failed = false;
        await Wait.UntilAsync("only the server that works is asked", async () =>
        {
            var replies = await world.AskAsync(url, 60);
            failed |= replies.Exists(reply => reply.Status == 500);
            return (failed && replies.TakeLast(40).All(reply => reply is { Status: 200, Version: "good" }), string.Join(' ', replies.Select(reply => reply.Status)));
        });
    }

    [GeneratedRegex("^([A-Z]\\w+Tests)\\.(\\w+)$")]
    private static partial Regex TestName();

    [GeneratedRegex("\\btimeout: (\\d+)s")]
    private static partial Regex Timeout();

    [GeneratedRegex("fixedDelay: (\\d+)s")]
    private static partial Regex Delay();
}
