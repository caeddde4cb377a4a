// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Model.Plan;
using Weft.Wire.Ads;
using Weft.Wire.Plans;
using Xunit;

namespace Weft.Proxy.Tests.Life;

/// <summary>The program in a process of its own, started from a plan and an identity on disk, without a control plane.</summary>
internal sealed class ProxyProcess : IDisposable
{
    private const int PatienceMs = 20_000;
    private const string Separator = "-----WEFT NEXT PART-----\n";

    private readonly Process _process;
    private readonly List<string> _said = [];

    private ProxyProcess(string bootstrap)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[typeof(ProxyRuntime).Assembly.Location, "sidecar", "--bootstrap", bootstrap])
        {
            start.ArgumentList.Add(argument);
        }

        // Garbage that waits for its collection would look like the cost of what made it.
        start.Environment["DOTNET_GCgen0size"] = "40000";
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_said)
            {
                _said.Add(line.Data ?? "");
            }
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>Everything it wrote to stderr so far.</summary>
    internal string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said);
            }
        }
    }

    internal bool IsRunning => !_process.HasExited;

    /// <summary>Writes what the proxy reads at its start into a folder; further keys go into the bootstrap as they are.</summary>
    internal static string Prepare(string folder, ProxyPlan plan, TestAuthority? authority = null, string id = "", params (string Key, JsonNode Value)[] keys)
    {
        var state = Directory.CreateDirectory(Path.Combine(folder, "state")).FullName;
        var cache = Path.Combine(folder, "plan");
        File.WriteAllBytes(cache, PlanCache.Write(new PlanEncoder().Encode(plan)));
        if (authority is not null)
        {
            var (chain, key) = authority.Issue(id);
            File.WriteAllText(Path.Combine(state, "identity.pem"), string.Join(Separator, chain, key, authority.RootPem));
        }

        var bootstrap = new JsonObject
        {
            ["node"] = new JsonObject { ["id"] = "sidecar~127.0.0.1~a.b~b.svc.cluster.local" },
            ["identity"] = new JsonObject { ["stateDirectory"] = state },
            ["ports"] = new JsonObject { ["admin"] = 0, ["metrics"] = 0, ["prometheus"] = 0, ["status"] = 0 },
            ["accessLog"] = "",
            ["planCache"] = cache,
            ["markSockets"] = false,
        };
        foreach (var (key, value) in keys)
        {
            bootstrap[key] = value;
        }

        var file = Path.Combine(folder, "bootstrap.json");
        File.WriteAllText(file, bootstrap.ToJsonString());
        return file;
    }

    internal static ProxyProcess Start(string bootstrap) => new(bootstrap);

    /// <summary>Waits until somebody listens on the port.</summary>
    internal void AwaitPort(int port)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                Peer.Connect(port).Dispose();
                return;
            }
            catch (System.Net.Sockets.SocketException) when (watch.ElapsedMilliseconds < PatienceMs && IsRunning)
            {
                Thread.Yield();
            }
        }
    }

    internal void AwaitWords(string words) => Assert.True(
        SpinWait.SpinUntil(() => Said.Contains(words, StringComparison.Ordinal) || !IsRunning, PatienceMs) && Said.Contains(words, StringComparison.Ordinal), Said);

    internal void Signal(int number) => Process.Start("kill", [$"-{number}", _process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();

    /// <summary>The exit code.</summary>
    internal int AwaitEnd()
    {
        Assert.True(_process.WaitForExit(PatienceMs), $"It did not end. It said: {Said}");
        return _process.ExitCode;
    }

    /// <summary>Bytes of memory that are the process's own and dirty: what it has allocated, without what it maps from files.</summary>
    internal long PrivateBytes()
    {
        foreach (var line in File.ReadLines($"/proc/{_process.Id}/smaps_rollup"))
        {
            if (line.StartsWith("Private_Dirty:", StringComparison.Ordinal))
            {
                return long.Parse(line.AsSpan("Private_Dirty:".Length).Trim().TrimEnd("kB"), CultureInfo.InvariantCulture) * 1024;
            }
        }

        throw new InvalidDataException("/proc/PID/smaps_rollup has no Private_Dirty");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
