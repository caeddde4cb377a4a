// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Processes;
using Weft.Local.Serving;
using Weft.Testing;
using Xunit;

namespace Weft.Local.Tests.Nodes;

/// <summary>A real node in real namespaces, started by root or by an ordinary user, on a fake API.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    public const string Namespace = "shop";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(150);

    private const string Nobody = "65534";

    private readonly Process _up;
    private readonly FakeApi _api;
    private readonly string _root;

    private TestNode(Process up, FakeApi api, string root, MeshHome home)
    {
        _up = up;
        _api = api;
        _root = root;
        Home = home;
        Client = new KubernetesClient(api.Endpoint);
        Node = new NodeClient(home.NodeSocket);
    }

    public MeshHome Home { get; }

    public KubernetesClient Client { get; }

    public NodeClient Node { get; }

    /// <summary>How the namespaces were made, and the process that holds them.</summary>
    public string Kind { get; private set; } = "";

    public int SandboxId { get; private set; }

    public int UpId => _up.Id;

    /// <summary>Runs this assembly inside pods.</summary>
    public static string[] Self(params string[] arguments) => ["dotnet", typeof(PodPrograms).Assembly.Location, .. arguments];

    public static async Task<TestNode> StartAsync(bool rootless)
    {
        Assert.True(
            Environment.IsPrivilegedProcess || rootless,
            "The node as root can only be tested by root. Run the tests as root, or only those of the ordinary user.");
        var root = Directory.CreateTempSubdirectory("weft-node-").FullName;
        var api = await FakeApi.StartAsync();
        var home = MeshHome.Open(Path.Combine(root, "home"));
        var socket = api.Endpoint["unix:".Length..];
        File.CreateSymbolicLink(home.ApiSocket, socket);
        WriteProxy(home);
        string[] become = [];
        if (rootless && Environment.IsPrivilegedProcess)
        {
            // Root plays an ordinary user: its own id, no groups, no capabilities.
            become = ["setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"];
            File.SetUnixFileMode(Path.GetDirectoryName(socket)!, (UnixFileMode)0b111_101_101);
            File.SetUnixFileMode(socket, (UnixFileMode)0b110_110_110);
            await RunOnce.RunAsync("chown", ["-R", $"{Nobody}:{Nobody}", root], "", CancellationToken.None);
        }

        string[] command = [.. become, "env", $"HOME={root}", .. Self("up", home.Root)];
        var up = Process.Start(new ProcessStartInfo(Programs.Require(command[0]), command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var node = new TestNode(up, api, root, home);
        try
        {
            await node.BecomeReadyAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Everything of the node's log, for messages of failed tests.</summary>
    public async Task<string> LogAsync()
    {
        var file = Path.Combine(Home.Logs, "node.log");
        return File.Exists(file) ? await File.ReadAllTextAsync(file) : "(no log)";
    }

    public async Task<JsonObject> CreatePodAsync(string name, string containers, string more = "", string metadata = "")
    {
        var text = $$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","namespace":"{{{Namespace}}}","labels":{"app":"{{{name}}}"}{{{metadata}}}},
             "spec":{"nodeName":"weft","containers":[{{{containers}}}]{{{more}}}}}
            """;
        return await Client.CreateAsync(Kinds.Pod, Namespace, JsonNode.Parse(text)!.AsObject(), CancellationToken.None);
    }

    /// <summary>A container's JSON with this assembly's verb as its command.</summary>
    public static string Container(string name, string[] command, string more = "") => $$$"""
        {"name":"{{{name}}}","image":"none","command":{{{new JsonArray([.. command.Select(w => (JsonNode)w)]).ToJsonString()}}}{{{more}}}}
        """;

    /// <summary>The stand-in for the sidecar, as injection writes it.</summary>
    public static string Proxy => """
        {"name":"weft-proxy","image":"weft-proxy","command":["weft-proxy","sidecar"],"readinessProbe":{"httpGet":{"path":"/healthz/ready","port":15021},"periodSeconds":1}}
        """;

    public Task<JsonObject> GetPodAsync(string name) => Client.GetAsync(Kinds.Pod, Namespace, name, CancellationToken.None);

    /// <summary>Waits until the pod is ready and returns it.</summary>
    public async Task<JsonObject> ReadyAsync(string name)
    {
        await HoldsAsync($"pod {name} is ready", async () => IsReady(await GetPodAsync(name)), async () => (await GetPodAsync(name)).ToJsonString());
        return await GetPodAsync(name);
    }

    public static bool IsReady(JsonObject pod) =>
        pod.Objects("status", "conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");

    public async Task HoldsAsync(string what, Func<Task<bool>> ask, Func<Task<string>>? seen = null)
    {
        // Long: a busy machine starts a pod's programs slowly. Only a broken node makes anybody wait for it.
        var began = TimeProvider.System.GetTimestamp();
        while (!await ask())
        {
            if (TimeProvider.System.GetElapsedTime(began) > _patience)
            {
                Assert.Fail($"Waited {_patience.TotalSeconds:0} s in vain until {what}. {(seen is null ? "" : await seen())}\n{await LogAsync()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    /// <summary>Runs a command in a container and returns its exit code and output.</summary>
    public async Task<(int Code, string Output)> ExecAsync(string pod, params string[] command)
    {
        using var output = new MemoryStream();
        using var limit = new CancellationTokenSource(_patience);
        var code = await Node.ExecAsync(new ExecTarget(Namespace, pod, null), command, null, output, output, null, limit.Token);
        return (code, Encoding.UTF8.GetString(output.ToArray()));
    }

    /// <summary>Connects from a pod and returns what the other side said, or the error's name.</summary>
    public async Task<string> ConnectAsync(string pod, string address, int port, params string[] options) =>
        (await ExecAsync(pod, [.. Self("connect", address, port.ToString(CultureInfo.InvariantCulture)), .. options])).Output;

    /// <summary>Asks the outer side to stop.</summary>
    public async Task StopAsync()
    {
        if (!_up.HasExited)
        {
            _up.StandardInput.Close();
            using var limit = new CancellationTokenSource(_patience);
            await _up.WaitForExitAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
        }
        finally
        {
            if (!_up.HasExited)
            {
                _up.Kill(entireProcessTree: true);
            }

            if (SandboxId != 0)
            {
                _ = Signals.Send(SandboxId, Signals.Kill);
            }

            Client.Dispose();
            _up.Dispose();
            await _api.DisposeAsync();
            Directory.Delete(_root, recursive: true);
        }
    }

    private async Task BecomeReadyAsync()
    {
        using var limit = new CancellationTokenSource(_patience);
        var line = await _up.StandardOutput.ReadLineAsync(limit.Token);
        var words = (line ?? "").Split(' ');
        Assert.True(words.Length == 2, $"The node did not start: {await File.ReadAllTextAsync(Path.Combine(Home.Logs, "up.log"))}");
        (Kind, SandboxId) = (words[0], int.Parse(words[1], CultureInfo.InvariantCulture));
        await HoldsAsync("the node answers", async () =>
        {
            try
            {
                await Node.StatusAsync(limit.Token);
                return true;
            }
            catch (NodeRefusedException)
            {
                return false;
            }
        });
        await Client.CreateAsync(
            Kinds.ServiceAccount, Namespace, JsonNode.Parse("""{"metadata":{"name":"default"}}""")!.AsObject(), limit.Token);
    }

    private static void WriteProxy(MeshHome home)
    {
        var bin = Directory.CreateDirectory(Path.Combine(home.Root, "bin")).FullName;
        var script = Path.Combine(bin, "weft-proxy");
        File.WriteAllText(script, $"#!/bin/sh\nexec dotnet {typeof(PodPrograms).Assembly.Location} \"$@\"\n");
        File.SetUnixFileMode(script, (UnixFileMode)0b111_101_101);
    }
}
