// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Scenarios;

/// <summary>People run programs of their own in the mesh, with nothing but a command line.</summary>
[Collection(RunningMesh.Name)]
public sealed partial class OwnProgramTests(TestMesh mesh)
{
    private static readonly string _sample = Path.Combine(TestMesh.RepositoryRoot, "artifacts", "bin-weft", "weft-sample");

    [Fact]
    public async Task One_line_makes_a_program_a_meshed_workload_that_pods_and_the_host_reach()
    {
        (await mesh.ApplyAsync(Manifests.Namespace("own") + Manifests.Client("own", "client"))).Succeeded();
        (await mesh.WeftAsync(["run", "--detach", "-n", "own", "--name", "api", "--port", "4100", "--env", "VERSION=v7", "--publish", "4100", "--replicas", "2", "--",
            "sh", "-c", $"echo \"from $GREETING in $PWD\"; exec {_sample} --port $PORT --name api --version $VERSION"])).Succeeded();
        await mesh.WaitForDeploymentsAsync("own");
        Assert.Equal("2/2", (await mesh.StatusAsync())["pods"]!.AsArray().First(pod => pod!["name"]!.ToString().StartsWith("api-", StringComparison.Ordinal))!["ready"]!.ToString());
        Assert.Contains("v7", (await mesh.ExecAsync("own", "deploy/client", "curl", "-sf", "http://api/")).Succeeded(), StringComparison.Ordinal);

        // STRICT refuses everything that is not mutual TLS: the program is in the mesh.
        (await mesh.ApplyAsync(Manifests.PeerMode("own", "STRICT"))).Succeeded();
        await Wait.UntilAsync("the mesh's callers are served, and encrypted", async () =>
        {
            var answer = await mesh.ExecAsync("own", "client", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://api:4100/");
            return (answer.Output.Trim() == "200", answer.ToString());
        });
        (await mesh.KubectlAsync("delete", "peerauthentication", "--all", "-n", "own")).Succeeded();

        var port = (await mesh.StatusAsync())["ports"]!.AsArray().Single(each => each!["name"]!.ToString() == "own/api:4100")!["port"];
        await Wait.UntilAsync("the host reaches it", async () =>
        {
            var answer = await Command.RunAsync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", $"http://127.0.0.1:{port}/"]);
            return (answer.Output.Trim() == "200", answer.ToString());
        });
        var logs = (await mesh.WeftAsync(["logs", "api", "-n", "own", "--tail", "5"])).Succeeded();
        Assert.Matches(@"\[api-[a-z0-9-]+\] from .* in " + Regex.Escape(Directory.GetCurrentDirectory()), logs);

        (await mesh.KubectlAsync("delete", "deployment", "api", "-n", "own")).Succeeded();
        await Wait.UntilAsync("all of it is gone", async () =>
        {
            var left = await mesh.KubectlAsync("get", "service,serviceaccount,secret", "-n", "own", "-l", "app=api", "-o", "name");
            return (left.Output.Trim().Length == 0, left.ToString());
        });
    }

    [Fact]
    public async Task A_watched_program_is_replaced_when_its_content_changes_and_removed_at_the_end()
    {
        var folder = Directory.CreateTempSubdirectory("weft-watched-").FullName;
        var script = Path.Combine(folder, "serve.sh");
        await WriteScriptAsync("one");
        var heard = new ConcurrentQueue<string>();
        using var run = Command.Open(
            Path.Combine(TestMesh.RepositoryRoot, "artifacts", "bin-weft", "weft"), ["run", "--watch", "-n", "watched", "--name", "app", "--", "./serve.sh"], mesh.Environment);
        run.StartInfo.WorkingDirectory = folder;
        run.StartInfo.Environment["WEFT_BIN"] = Path.Combine(TestMesh.RepositoryRoot, "artifacts", "bin-weft");
        run.OutputDataReceived += (_, line) => heard.Enqueue(line.Data ?? "");
        run.ErrorDataReceived += (_, line) => heard.Enqueue(line.Data ?? "");
        run.Start();
        run.BeginOutputReadLine();
        run.BeginErrorReadLine();
        try
        {
            await HeardAsync("Watching", 1);
            await HeardAsync("this is one", 1);
            await WriteScriptAsync("one");
            await WriteScriptAsync("two");
            await HeardAsync("this is two", 1);
            Assert.Single(heard, line => line.Contains("changed; app is replaced", StringComparison.Ordinal));
            Assert.Single(heard, line => line.Contains("this is one", StringComparison.Ordinal));
        }
        finally
        {
            (await Command.RunAsync("kill", ["-INT", $"{run.Id}"])).Succeeded();
            await run.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
            Directory.Delete(folder, recursive: true);
        }

        Assert.Equal(130, run.ExitCode);
        Assert.Equal("", (await mesh.KubectlAsync("get", "deployments,pods", "-n", "watched", "-o", "name")).Succeeded().Trim());

        async Task WriteScriptAsync(string word)
        {
            await File.WriteAllTextAsync(script, $"#!/bin/sh\necho this is {word}\nexec {_sample} --port $PORT --name {word}\n");
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Task HeardAsync(string text, int count) => Wait.UntilAsync($"'{text}' is heard", () =>
            Task.FromResult((heard.Count(line => line.Contains(text, StringComparison.Ordinal)) >= count, string.Join('\n', heard))));
    }

    [Fact]
    public async Task A_program_that_cannot_be_reached_is_told_why()
    {
        var missing = await mesh.WeftAsync(["run", "--", "no-such-program-here"]);
        Assert.Equal(2, missing.ExitCode);
        Assert.Contains("There is no program 'no-such-program-here' on the PATH.", missing.Error, StringComparison.Ordinal);

        var elsewhere = await mesh.WeftAsync(["run", "--detach", "--timeout", "8", "-n", "elsewhere", "--port", "4200", "--", _sample, "--port", "4201", "--name", "x"]);
        Assert.Equal(5, elsewhere.ExitCode);
        Assert.Contains("It listens on port 4201, not on 4200: weft run --port 4201", elsewhere.Error, StringComparison.Ordinal);
        (await mesh.KubectlAsync("delete", "namespace", "elsewhere")).Succeeded();
    }

    [Fact]
    public async Task Watched_manifests_are_applied_again_and_what_is_taken_out_is_removed()
    {
        var folder = Directory.CreateTempSubdirectory("weft-manifests-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "ns.yaml"), Manifests.Namespace("files"));
        await File.WriteAllTextAsync(Path.Combine(folder, "a.yaml"), ConfigMap("one", "1") + ConfigMap("two", "1"));
        using var up = Command.Open(Path.Combine(TestMesh.RepositoryRoot, "weft"), ["up", folder, "--watch"], mesh.Environment);
        var heard = new ConcurrentQueue<string>();
        up.ErrorDataReceived += (_, line) => heard.Enqueue(line.Data ?? "");
        up.Start();
        up.BeginErrorReadLine();
        up.BeginOutputReadLine();
        try
        {
            // Before it says that it watches: a change while it still starts counts too.
            await Wait.UntilAsync("the first object is there", () => Task.FromResult((heard.Any(line => line.Contains("ConfigMap files/one created", StringComparison.Ordinal)), string.Join('\n', heard))));
            await File.WriteAllTextAsync(Path.Combine(folder, "a.yaml"), ConfigMap("one", "2"));
            await ValuesAsync("one=2");

            // A broken file changes nothing, and its place is said.
            await File.WriteAllTextAsync(Path.Combine(folder, "a.yaml"), ConfigMap("one", "3") + "\n---\nkind: [");
            await Wait.UntilAsync("the place is said", () => Task.FromResult((heard.Any(line => MistakePlace().IsMatch(line)), string.Join('\n', heard))));
            await ValuesAsync("one=2");
            File.Delete(Path.Combine(folder, "a.yaml"));
            await File.WriteAllTextAsync(Path.Combine(folder, "b.yaml"), ConfigMap("three", "1"));
            await ValuesAsync("three=1");
        }
        finally
        {
            up.Kill(entireProcessTree: true);
            await up.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }

        Task ValuesAsync(string expected) => Wait.UntilAsync($"the objects are {expected}", async () =>
        {
            var list = JsonNode.Parse((await mesh.KubectlAsync("get", "configmaps", "-n", "files", "-o", "json")).Succeeded())!;
            var seen = string.Join(' ', list["items"]!.AsArray().Where(item => item!["data"]?["value"] is not null).Select(item => $"{item!["metadata"]!["name"]}={item["data"]!["value"]}"));
            return (seen == expected, $"{seen}\n{string.Join('\n', heard)}");
        });
    }

    private static string ConfigMap(string name, string value) => $"""
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: {name}
          namespace: files
        data:
          value: "{value}"

        """;

    [GeneratedRegex(@"a\.yaml:\d+:\d+ ")]
    private static partial Regex MistakePlace();
}
