// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Agent;
using Weft.Local.Processes;
using Weft.Local.Serving;
using Weft.Testing;
using Xunit;

namespace Weft.Local.Tests.Agent;

public sealed class AgentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-agent-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("""{"image":"x","command":["a","b"],"args":["c"]}""", "a|b|c")]
    [InlineData("""{"image":"my-app:2.0.0","ports":[{"containerPort":3000}]}""", "weft-sample|--port|3000|--name|my-app|--version|2.0.0")]
    [InlineData("""{"image":"registry.example:5000/team/tool@sha256:00"}""", "run it|--now")]
    [InlineData("""{"image":"registry.example:5000/team/tool","args":["--later"]}""", "run it|--later")]
    [InlineData("""{"image":"nginx:alpine"}""", "mine")]
    [InlineData("""{"image":"unknown"}""", null)]
    [InlineData("""{"image":"docker.io/library/busybox:1.36","args":["sh","-c","echo a | b"]}""", "sh|-c|echo a | b")]
    [InlineData("""{"image":"busybox"}""", "sh")]
    [InlineData("""{"image":"docker.io/istio/examples-bookinfo-reviews-v2:1.20.1"}""", "weft-sample|stand-in|reviews|--version|v2|--port|9080")]
    [InlineData("""{"image":"hashicorp/http-echo","args":["-text=a","-listen=:80"]}""", "weft-sample|stand-in|http-echo|-text=a|-listen=:80")]
    [InlineData("""{"image":"kennethreitz/httpbin"}""", "weft-sample|stand-in|httpbin|--port|80")]
    [InlineData("""{"image":"redis:7"}""", "redis-server|--protected-mode|no|--save|")]
    public void An_image_stands_for_a_command(string container, string? words)
    {
        var file = Path.Combine(_folder, "images.yaml");
        File.WriteAllText(file, "# mine\n\nregistry.example:5000/team/tool: 'run it' --now\nnginx: mine\n");
        var found = ImageTable.Read(file).Find(new ContainerSpec(JsonNode.Parse(container)!.AsObject()));
        Assert.Equal(words, found is null ? null : string.Join('|', found));
    }

    [Fact]
    public void A_program_that_this_machine_lacks_is_named()
    {
        Assert.Contains("'redis' the program 'redis-server'", ImageTable.Missing("redis", ["redis-server"], "/nowhere:/bin"), StringComparison.Ordinal);
        Assert.Null(ImageTable.Missing("busybox", ["sh"], "/nowhere:/bin"));
        Assert.Null(ImageTable.Missing("x", ["/bin/sh"], ""));
    }

    [Theory]
    [InlineData("tool", "images.yaml:1: 'tool' has no command. Write 'image: command and arguments'.")]
    [InlineData("\n  a: b", "images.yaml:2: Write one 'image: command' a line, without indentation or lists.")]
    [InlineData("a: 'b", "images.yaml:1: A quote in ''b' is not closed.")]
    public void A_wrong_line_of_the_image_file_is_named(string text, string message)
    {
        var file = Path.Combine(_folder, "images.yaml");
        File.WriteAllText(file, text);
        Assert.EndsWith(message, Assert.Throws<FormatException>(() => ImageTable.Read(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_file_has_limits()
    {
        var file = Path.Combine(_folder, "images.yaml");
        File.WriteAllLines(file, Enumerable.Range(0, ImageTable.MaxEntries + 1).Select(i => $"i{i}: x"));
        Assert.Contains("More than", Assert.Throws<FormatException>(() => ImageTable.Read(file)).Message, StringComparison.Ordinal);
        File.WriteAllText(file, new string('#', ImageTable.MaxFileBytes + 1));
        Assert.Contains("longer than", Assert.Throws<FormatException>(() => ImageTable.Read(file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a $(X) b", "a 1 b")]
    [InlineData("$$(X) $(Y) $", "$(X) $(Y) $")]
    [InlineData("$(X", "$(X")]
    public void Variables_are_filled_in(string text, string wanted) =>
        Assert.Equal(wanted, ContainerEnvironment.Expand(text, new Dictionary<string, string> { ["X"] = "1" }));

    [Fact]
    public void Restarts_wait_longer_and_longer_and_a_long_run_forgets()
    {
        var pause = new RestartPause(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));
        var seconds = Enumerable.Range(0, 8).Select(_ => (int)pause.Next(TimeSpan.Zero).TotalSeconds);
        Assert.Equal([0, 10, 20, 40, 80, 160, 300, 300], seconds);
        Assert.Equal(TimeSpan.Zero, pause.Next(TimeSpan.FromMinutes(11)));
    }

    [Fact]
    public async Task A_log_keeps_lines_whole_cuts_very_long_ones_and_turns_over_when_full()
    {
        var file = Path.Combine(_folder, "0.log");
        using (var log = new ContainerLog(file, TimeProvider.System, maxBytes: 30_000))
        {
            await log.PumpAsync(new MemoryStream(Encoding.UTF8.GetBytes($"{new string('a', 40_000)}\nshort\nend without line feed")), "stdout", default);
        }

        var lines = (await File.ReadAllLinesAsync($"{file}.1")).Concat(await File.ReadAllLinesAsync(file)).Select(l => l.Split(' ', 4)).ToList();
        Assert.Equal(["P", "P", "F", "F", "F"], lines.Select(l => l[2]));
        Assert.Equal(40_000, lines.Take(3).Sum(l => l[3].Length));
        Assert.Equal("end without line feed", lines[^1][3]);
        using var copy = new MemoryStream();
        await LogReader.CopyAsync(
            file,
            new LogOptions(false, false, null, false, null, null),
            bytes =>
            {
                copy.Write(bytes.Span);
                return Task.CompletedTask;
            },
            () => true,
            TimeProvider.System,
            default);
        Assert.Equal($"{new string('a', 40_000)}\nshort\nend without line feed\n", Encoding.UTF8.GetString(copy.ToArray()));
    }

    [Fact]
    public async Task Frames_beyond_the_limit_are_refused()
    {
        byte[] tooLong = [1, 0, 1, 0, 1];
        await Assert.ThrowsAsync<FormatException>(async () => await ExecFrames.ReadAsync(new MemoryStream(tooLong), default));
        await Assert.ThrowsAsync<EndOfStreamException>(async () => await ExecFrames.ReadAsync(new MemoryStream([1, 0]), default));
        Assert.Null(await ExecFrames.ReadAsync(new MemoryStream(), default));
    }

    [Theory]
    [InlineData("web-5d9f", "ReplicaSet", "5d9f", "web")]
    [InlineData("web-5d9f", "ReplicaSet", "other", "web-5d9f")]
    [InlineData("nightly", "Job", "", "nightly")]
    public void A_workload_is_named_after_what_the_operator_made(string owner, string kind, string hash, string wanted)
    {
        var pod = JsonNode.Parse($$$"""
            {"metadata":{"name":"p","labels":{"pod-template-hash":"{{{hash}}}"},"ownerReferences":[{"kind":"{{{kind}}}","name":"{{{owner}}}","controller":true}]}}
            """)!.AsObject();
        Assert.Equal(wanted, ProxyFiles.Workload(new PodSpec(pod)));
    }

    [Fact]
    public void A_pod_is_ready_only_with_every_container_and_remembers_since_when()
    {
        var clock = new ManualClock();
        var spec = new PodSpec(JsonNode.Parse("""{"metadata":{"name":"p"},"spec":{"containers":[{"name":"weft-proxy"},{"name":"app"}]}}""")!.AsObject());
        var status = new PodStatus(spec, clock.GetUtcNow());
        var running = new ContainerState.Running(clock.GetUtcNow());
        ContainerSnapshot proxy = new(spec.Containers[0], running, null, 0, true, true);
        ContainerSnapshot waiting = new(spec.Containers[1], new ContainerState.Waiting("ContainerCreating"), null, 0, false, false);
        var app = waiting with { State = running, Ready = true };
        Assert.Equal("Pending", Compute(proxy, waiting).Text("phase"));
        Assert.Equal("containers with unready status: [app]", Ready(Compute(proxy, waiting)).Text("message"));
        clock.Advance(TimeSpan.FromSeconds(5));
        var since = Ready(Compute(proxy, app)).Text("lastTransitionTime");
        Assert.Equal("True", Ready(Compute(proxy, app)).Text("status"));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(since, Ready(Compute(proxy, app)).Text("lastTransitionTime"));
        Assert.Equal("Running", Compute(proxy, app with { Ready = false }).Text("phase"));

        JsonObject Compute(params ContainerSnapshot[] containers) =>
            (JsonObject)status.Compute(new PodView(spec.Source, "10.244.0.2", [], containers, ""), clock.GetUtcNow())["status"]!;
        static JsonObject Ready(JsonObject s) => s.Objects("conditions").First(c => c.Text("type") == "Ready");
    }
}
