// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Weft.Model.Plan;
using Weft.Proxy.Telemetry;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Other people's tools against a running proxy: scripts of varnishtest, and slowhttptest for a few seconds.</summary>
public sealed class ScriptTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Scripts()
    {
        var folder = RepositoryRoot.File("tests", "cases", "scripts");
        return new TheoryData<string>(Directory.GetFiles(folder, "*.vtc").Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task What_a_script_of_varnishtest_expects_happens(string script)
    {
        var (port, origin) = (TestProxy.FreePort(), TestProxy.FreePort());
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin)));
        var file = RepositoryRoot.File("tests", "cases", "scripts", script);
        var (code, output) = await RunAsync("varnishtest", $"-Dtarget=127.0.0.1:{port}", $"-Dorigin=127.0.0.1:{origin}", file);
        Assert.True(code == 0, output);
    }

    [Theory]
    [InlineData("-H", ProxyLimit.HeadTime)]
    [InlineData("-B", ProxyLimit.ClientIdleTime)]
    public async Task Clients_that_slowhttptest_makes_slow_are_ended_and_others_are_served(string attack, object limit)
    {
        const int Connections = 50;
        using var origin = TestOrigin.Ok("served");
        var port = TestProxy.FreePort();
        var limits = new HttpLimitsPlan { HeadMs = 500, ClientIdleMs = 500 };
        using var proxy = new TestProxy(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port))
            .Ruled(http => http with { Limits = limits }));
        var running = RunAsync(
            "slowhttptest", attack, "-c", $"{Connections}", "-r", "200", "-i", "2", "-s", "4096", "-l", "4", "-u", $"http://127.0.0.1:{port}/");
        using var client = Peer.Connect(port);
        while (!running.IsCompleted)
        {
            client.Write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            Assert.EndsWith("served", client.ReadMessage(), StringComparison.Ordinal);
        }

        var (_, output) = await running;
        var hits = proxy.Runtime.Metrics.Sum(loop => loop.HitsOf((ProxyLimit)limit));
        Assert.True(hits >= Connections, $"{hits} of {Connections} were ended.\n{output}");
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(_limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}
