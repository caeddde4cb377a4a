// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Scenarios.Transcripts;

/// <summary>
/// Replays the recorded calls that show pods, events and what controllers make, on a mesh whose pods really run: every line that is
/// otherwise than on the recorded cluster must be listed, with its reason, in differences.txt.
/// </summary>
public sealed class LiveTranscriptTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly TestMesh _mesh = new([]);
    private readonly List<(Regex Call, bool Here, Regex Line)> _known = [];
    private string _folder = "";

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_mesh.Home, "images.yaml"), "localhost/busybox: /usr/bin/env\nlocalhost/tools: /usr/bin/env\n");
        await _mesh.InitializeAsync();
        _folder = Directory.CreateDirectory(Path.Combine(_mesh.Home, "work")).FullName;
        await File.WriteAllTextAsync(Path.Combine(_folder, "FILE"), "line1\nline2\n");
        foreach (var line in (await File.ReadAllLinesAsync(Recorded("differences.txt"))).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var parts = line.Split('\t');
            Assert.True(parts.Length == 4 && parts[1] is "+" or "-" && parts[3].Length > 10, line);
            _known.Add((new Regex($"^({parts[0]})$"), parts[1] is "+", new Regex($"^({parts[2]})$")));
        }
    }

    public Task DisposeAsync() => _mesh.DisposeAsync();

    [Fact]
    public async Task Kubectl_says_of_running_pods_what_it_says_on_a_real_cluster()
    {
        var shown = (await File.ReadAllLinesAsync(Recorded("live.jsonl"))).Select(line => new LiveCall(JsonNode.Parse(line)!)).ToList();
        var before = (await File.ReadAllLinesAsync(Recorded("calls.jsonl"))).Select(line => JsonNode.Parse(line)!).Where(IsStep).Select(call => new LiveCall(call));
        var compared = shown.Select(call => call.Id).ToHashSet(StringComparer.Ordinal);
        var differences = new List<string>();
        foreach (var call in shown.Concat(before).OrderBy(call => call.Number))
        {
            var found = await FollowAsync(call, compared.Contains(call.Id));
            if (found.Count > 0)
            {
                differences.Add($"{call.Id}: kubectl {string.Join(' ', call.Arguments)}\n{string.Join('\n', found)}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} calls differ:\n{string.Join("\n\n", differences)}");
    }

    /// <summary>Whether a call that is compared elsewhere changes what those here see.</summary>
    private static bool IsStep(JsonNode call)
    {
        string[] groups = ["namespace", "create", "rollout", "node", "delete"];
        string[] others = ["crd-490", "crd-500", "delete-810"];
        string[] looks = ["get", "describe", "config", "version", "cluster-info", "api-resources", "explain", "auth", "logs", "wait"];
        var words = call["argv"]!.AsArray().Select(word => (string)word!).ToList();
        var id = (string)call["id"]!;

        // delete-804 deletes what calls made that are replayed elsewhere.
        return others.Contains(id) || (groups.Contains(id[..id.LastIndexOf('-')]) && id is not "delete-804"
            && words[0] is "kubectl" && call["user"] is null && ((int?)call["exit"] ?? 0) == 0
            && !words.Exists(word => looks.Contains(word) || word.StartsWith("--dry-run", StringComparison.Ordinal)));
    }

    private async Task<List<string>> FollowAsync(LiveCall call, bool compared)
    {
        var until = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var (exit, output, error) = await call.RunAsync(_folder, new Dictionary<string, string>(_mesh.Environment, StringComparer.Ordinal) { ["HOME"] = _folder }, NameAsync);
            if (!compared)
            {
                return exit == call.Exit ? [] : [$"it ended with {exit}: {error}"];
            }

            var found = new List<string>();
            if (!call.Endless && exit != call.Exit)
            {
                found.Add($"  exit {call.Exit} there, {exit} here");
            }

            Compare(call.Id, call.Output, output, found);
            Compare(call.Id, call.Error, error, found);
            if (found.Count == 0 || !call.Looks || TimeProvider.System.GetElapsedTime(until) > _patience)
            {
                return found;
            }
        }
    }

    private void Compare(string id, string recorded, string here, List<string> found)
    {
        var url = _mesh.ServerUrl;
        var (there, now) = (LiveText.Lines(recorded, url), LiveText.Lines(here, url));
        found.AddRange(there.Except(now).Where(line => !IsKnown(id, false, line)).Select(line => "  - " + line));
        found.AddRange(now.Except(there).Where(line => !IsKnown(id, true, line)).Select(line => "  + " + line));
    }

    private bool IsKnown(string id, bool here, string line) =>
        line.Length == 0 || _known.Exists(rule => rule.Here == here && rule.Call.IsMatch(id) && rule.Line.IsMatch(line));

    /// <summary>The recorded pod's name stands for the pod that has its place here.</summary>
    private async Task<string> NameAsync(string argument)
    {
        const string There = "web-86d7559b8b-766qb";
        return argument.Contains(There, StringComparison.Ordinal)
            ? argument.Replace(There, await _mesh.PodAsync("t1", "app=web"), StringComparison.Ordinal)
            : argument;
    }

    private static string Recorded(string name) => Path.Combine(AppContext.BaseDirectory, "Transcripts", name);
}
