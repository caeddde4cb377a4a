// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>kubectl's commands that keep a stream open, at meshed pods, with both versions of kubectl.</summary>
[Collection(RunningMesh.Name)]
public sealed class KubectlStreamTests(TestMesh mesh)
{
    private const string Listener = """
        apiVersion: v1
        kind: Pod
        metadata: {name: listener}
        spec:
          restartPolicy: Never
          containers:
          - {name: listener, image: shell, stdin: true, stdinOnce: true, command: [sh, -c, "while read line; do echo heard $line; done"]}
        """;

    private const string Counter = """
        apiVersion: v1
        kind: Pod
        metadata: {name: counter}
        spec:
          restartPolicy: Never
          containers:
          - {name: counter, image: shell, command: [sh, -c, "for i in 1 2 3 4 5; do echo count $i; sleep 0.3; done"]}
        """;

    [Theory]
    [InlineData("v32")]
    [InlineData("v35")]
    public async Task Terminals_input_ports_folders_and_logs_stream_to_and_from_meshed_pods(string version)
    {
        var ns = $"streams-{version}";
        (await mesh.ApplyAsync(Manifests.Namespace(ns) + Manifests.App(ns, "web", "v1") + Manifests.Service(ns, "web"))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
        var kubectl = new Kubectl(mesh, version, ns);
        try
        {
            var pod = await mesh.PodAsync(ns, "app=web");
            await HasTerminalAsync(kubectl, pod);
            await CarriesFoldersAsync(kubectl, mesh.Home, pod);
            await ForwardsAsync(kubectl);
            await AttachesAsync(kubectl);
            await FollowsAsync(kubectl);
            await EndsAsync(kubectl, pod);
        }
        finally
        {
            await kubectl.RunAsync(["delete", "namespace", ns, "--wait=false"]);
        }
    }

    private static async Task HasTerminalAsync(Kubectl kubectl, string pod)
    {
        // script gives kubectl a terminal of its own to speak from.
        var line = string.Join(' ', kubectl.Words("exec", "-it", pod, "-c", "app", "--", "sh"));
        var result = await Command.RunAsync("script", ["-qec", line, "/dev/null"], kubectl.Environment, "tty\nstty size\necho $((6*7))$((1+1))\nexit 3\n");
        Assert.Equal(3, result.ExitCode);
        Assert.Matches(@"/dev/pts/\d+", result.Output);
        Assert.Contains("422", result.Output, StringComparison.Ordinal);
    }

    private static async Task CarriesFoldersAsync(Kubectl kubectl, string home, string pod)
    {
        var folder = Directory.CreateDirectory(Path.Combine(home, $"{kubectl.Namespace}-folder"));
        Directory.CreateDirectory(Path.Combine(folder.FullName, "deep", "er"));
        var bytes = Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7)).ToArray();
        await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "deep", "er", "bytes"), bytes);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "run"), "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(folder.FullName, "run"), (UnixFileMode)0b111_101_101);
        var there = $"/tmp/{kubectl.Namespace}-there";
        await kubectl.RunAsync(["cp", folder.FullName, $"{pod}:{there}", "-c", "app"]);
        Assert.Equal("300000 755\n", await kubectl.RunAsync(["exec", pod, "-c", "app", "--", "sh", "-c", $"echo $(wc -c < {there}/deep/er/bytes) $(stat -c %a {there}/run)"]));
        await kubectl.RunAsync(["cp", $"{pod}:{there}", folder.FullName + "-back", "-c", "app"]);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(folder.FullName + "-back", "deep", "er", "bytes")));
        await kubectl.RunAsync(["exec", pod, "-c", "app", "--", "rm", "-r", there]);
    }

    private static async Task ForwardsAsync(Kubectl kubectl)
    {
        using var forward = kubectl.Open("port-forward", "service/web", ":80");
        forward.Start();
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var said = await forward.StandardOutput.ReadLineAsync(limit.Token) ?? await forward.StandardError.ReadToEndAsync(limit.Token);
            var port = Regex.Match(said, @"^Forwarding from 127\.0\.0\.1:(\d+) -> 3000$").Groups[1].Value;
            Assert.True(port.Length > 0, said);
            using var http = new HttpClient();
            for (var i = 0; i < 3; i++)
            {
                Assert.Contains("\"version\":\"v1\"", await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/{i}"), limit.Token), StringComparison.Ordinal);
            }
        }
        finally
        {
            forward.Kill();
        }
    }

    private static async Task AttachesAsync(Kubectl kubectl)
    {
        await kubectl.RunAsync(["apply", "-f", "-"], Listener);
        await kubectl.RunAsync(["wait", "--for=condition=Ready", "pod/listener", "--timeout=60s"]);
        var said = await kubectl.RunAsync(["attach", "-i", "listener", "-c", "listener"], "one\ntwo\n");
        Assert.Contains("heard one\nheard two\n", said, StringComparison.Ordinal);
        await kubectl.RunAsync(["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/listener", "--timeout=60s"]);
        await kubectl.RunAsync(["delete", "pod", "listener"]);
    }

    private static async Task FollowsAsync(Kubectl kubectl)
    {
        await kubectl.RunAsync(["apply", "-f", "-"], Counter);
        await Wait.UntilAsync("it counts", async () =>
        {
            var state = await kubectl.RunAsync(["get", "pod", "counter", "-o", "jsonpath={.status.containerStatuses[?(@.name=='counter')].state}"]);
            return (state.Contains("running", StringComparison.Ordinal) || state.Contains("terminated", StringComparison.Ordinal), state);
        });
        Assert.Equal("count 1\ncount 2\ncount 3\ncount 4\ncount 5\n", await kubectl.RunAsync(["logs", "-f", "counter", "-c", "counter"]));
        await kubectl.RunAsync(["delete", "pod", "counter"]);
    }

    /// <summary>A command in a pod that is deleted meanwhile ends as the container does.</summary>
    private static async Task EndsAsync(Kubectl kubectl, string pod)
    {
        using var lasting = kubectl.Open("exec", pod, "-c", "app", "--", "sh", "-c", "echo in; sleep 1000");
        lasting.Start();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Assert.Equal("in", await lasting.StandardOutput.ReadLineAsync(limit.Token));
        await kubectl.RunAsync(["delete", "pod", pod, "--grace-period=1"]);
        await lasting.WaitForExitAsync(limit.Token);
        Assert.Equal("command terminated with exit code 137", (await lasting.StandardError.ReadToEndAsync(limit.Token)).Trim());
        Assert.Equal(137, lasting.ExitCode);
    }

    private sealed record Kubectl(TestMesh Mesh, string Version, string Namespace)
    {
        public IReadOnlyDictionary<string, string> Environment => Mesh.Environment;

        public string[] Words(params string[] arguments) =>
            [Path.Combine(TestMesh.RepositoryRoot, "artifacts", "tools", string.Create(CultureInfo.InvariantCulture, $"kubectl-{Version}"), "kubectl"), "-n", Namespace, .. arguments];

        public async Task<string> RunAsync(string[] arguments, string input = "") =>
            (await Command.RunAsync(Words()[0], Words(arguments)[1..], Environment, input)).Succeeded();

        public System.Diagnostics.Process Open(params string[] arguments) => Command.Open(Words()[0], Words(arguments)[1..], Environment);
    }
}
