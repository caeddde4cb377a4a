// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;

namespace Weft.Cli.Applying;

/// <summary>
/// The objects of some files, kept equal to them: what is taken out of the files is removed, if it is still marked as theirs.
/// The mark is an annotation; what was applied stands in the mesh's folder, so that it is known after a restart.
/// </summary>
internal sealed class ManifestSet
{
    /// <summary>On every object that a watch applied: which watch.</summary>
    public const string Annotation = "weft.dev/watched-by";

    private readonly KubernetesClient _client;
    private readonly Terminal _terminal;
    private readonly string _mark;
    private readonly string _file;

    public ManifestSet(MeshHome home, KubernetesClient client, IEnumerable<string> paths, Terminal terminal)
    {
        (_client, _terminal) = (client, terminal);
        var places = string.Join('\n', paths.Select(Path.GetFullPath).Order(StringComparer.Ordinal));
        _mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(places)))[..12];
        _file = Path.Combine(home.Root, $"watch-{_mark}.json");
    }

    /// <summary>Applies what the files hold now, each object by itself: one that is refused holds up no other.</summary>
    public async Task ApplyAsync(IReadOnlyList<ManifestEntry> objects, CancellationToken ct)
    {
        var applier = new Applier(_client);
        var kinds = new KindTable(_client);
        var wanted = new List<Entry>();
        var before = Read();
        foreach (var (source, where) in Applier.InOrder(objects))
        {
            var entry = Entry.Of(source);
            wanted.Add(entry);
            try
            {
                var outcome = await applier.ApplyAsync(Marked(source), ct);
                if (outcome != Outcome.Unchanged)
                {
                    _terminal.Say($"{_terminal.Ok} {entry} {outcome.ToString().ToLowerInvariant()}");
                }
            }
            catch (Exception refused) when (refused is KubernetesException or CommandException)
            {
                _terminal.Fail($"{where}: {entry} was refused: {refused.Message}", before.Contains(entry) ? "Its last good version stays." : null);
            }
        }

        // Before anything is removed: were this process to end in between, nothing would be forgotten.
        Write([.. before.Union(wanted)]);
        foreach (var gone in before.Except(wanted).Reverse())
        {
            await PruneAsync(kinds, gone, ct);
        }

        Write(wanted);
    }

    private JsonObject Marked(JsonObject source)
    {
        var marked = (JsonObject)source.DeepClone();
        if (marked["metadata"] is not JsonObject metadata)
        {
            marked["metadata"] = metadata = [];
        }

        if (metadata["annotations"] is not JsonObject annotations)
        {
            metadata["annotations"] = annotations = [];
        }

        annotations[Annotation] = _mark;
        return marked;
    }

    private async Task PruneAsync(KindTable kinds, Entry gone, CancellationToken ct)
    {
        try
        {
            var kind = await kinds.FindAsync(new JsonObject { ["apiVersion"] = gone.ApiVersion, ["kind"] = gone.Kind, ["metadata"] = new JsonObject { ["name"] = gone.Name } }, ct);
            var ns = kind.Namespaced ? gone.Namespace : null;
            var present = await _client.GetAsync(kind, ns, gone.Name, ct);
            if (present.Annotation(Annotation) != _mark)
            {
                _terminal.Say($"{_terminal.Warning} {gone} is in the files no more, but somebody else has applied it since: it stays.");
                return;
            }

            await _client.DeleteAsync(kind, ns, gone.Name, ct);
            _terminal.Say($"{_terminal.Ok} {gone} removed");
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            // Gone with its namespace or owner, or by hand.
        }
        catch (CommandException unknown)
        {
            // Its kind went away, and all of its objects with it.
            _terminal.Say($"{_terminal.Warning} {gone}: {unknown.Message}");
        }
    }

    private List<Entry> Read()
    {
        try
        {
            return JsonSerializer.Deserialize<List<Entry>>(File.ReadAllText(_file)) ?? [];
        }
        catch (FileNotFoundException)
        {
            return [];
        }
        catch (JsonException broken)
        {
            throw new CommandException(ExitCode.Failed, $"'{_file}' cannot be read: {broken.Message}", "Remove it: what was taken out of the files before then stays.");
        }
    }

    private void Write(List<Entry> entries)
    {
        File.WriteAllText(_file + ".new", JsonSerializer.Serialize(entries));
        File.Move(_file + ".new", _file, overwrite: true);
    }

    /// <summary>Which object; namespace "default" where a file names none.</summary>
    private sealed record Entry(string ApiVersion, string Kind, string Namespace, string Name)
    {
        public static Entry Of(JsonObject source) => new(
            source.Text("apiVersion") ?? "", source.Kind(), source.Namespace() is { Length: > 0 } ns ? ns : "default", source.Name());

        public override string ToString() => Namespace == "default" ? $"{Kind} {Name}" : $"{Kind} {Namespace}/{Name}";
    }
}
