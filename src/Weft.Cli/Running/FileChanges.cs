// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Threading.Channels;
using Weft.Cli.Output;

namespace Weft.Cli.Running;

/// <summary>
/// Tells when the content of files below some folders has changed. The kernel says that something happened; what it was a
/// comparison says, so that a save without a change, or a file touched by a build, is nothing.
/// </summary>
internal sealed class FileChanges : IDisposable
{
    /// <summary>More files than this are refused: a smaller folder must be named.</summary>
    public const int MaxFiles = 20_000;

    /// <summary>Of longer files only time and length are compared.</summary>
    private const long MaxHashedBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan _quiet = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _mostQuiet = TimeSpan.FromSeconds(2);

    /// <summary>What tools write beside the source; so does every folder whose name begins with a dot.</summary>
    private static readonly string[] _ignored = ["node_modules", "bin", "obj", "target", "dist", "build", "__pycache__", "venv"];

    private readonly IReadOnlyList<string> _roots;
    private readonly Func<string, bool> _accepts;
    private readonly TimeProvider _clock;
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly Channel<bool> _events = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Dictionary<string, Stamp> _known;

    /// <param name="roots">Folders, with all below them, or single files.</param>
    /// <param name="accepts">Which files count, by path.</param>
    public FileChanges(IReadOnlyList<string> roots, Func<string, bool> accepts, TimeProvider clock)
    {
        (_roots, _accepts, _clock) = (roots, accepts, clock);
        foreach (var root in roots)
        {
            _watchers.Add(Watch(root));
        }

        // After the watch began: what changes in between is found by the first comparison.
        _known = Scan([]);
    }

    /// <summary>Waits for the next change; the paths that were added, changed or removed, in order.</summary>
    public async Task<IReadOnlyList<string>> NextAsync(CancellationToken ct)
    {
        while (true)
        {
            await _events.Reader.ReadAsync(ct);
            await SettleAsync(ct);
            var now = Scan(_known);
            var changed = now.Where(file => !_known.TryGetValue(file.Key, out var before) || before.Hash != file.Value.Hash).Select(file => file.Key)
                .Concat(_known.Keys.Where(file => !now.ContainsKey(file)))
                .Order(StringComparer.Ordinal)
                .ToList();
            _known = now;
            if (changed.Count > 0)
            {
                return changed;
            }
        }
    }

    public void Dispose()
    {
        foreach (var watcher in _watchers)
        {
            watcher.Dispose();
        }
    }

    /// <summary>An editor writes, renames and writes again; a checkout changes hundreds of files: wait until it is over.</summary>
    private async Task SettleAsync(CancellationToken ct)
    {
        var began = _clock.GetTimestamp();
        do
        {
            while (_events.Reader.TryRead(out _))
            {
            }

            await Task.Delay(_quiet, _clock, ct);
        }
        while (_events.Reader.TryPeek(out _) && _clock.GetElapsedTime(began) < _mostQuiet);
    }

    private FileSystemWatcher Watch(string root)
    {
        var isFolder = Directory.Exists(root);
        try
        {
            var watcher = isFolder ? new FileSystemWatcher(root) : new FileSystemWatcher(Path.GetDirectoryName(root)!, Path.GetFileName(root));
            watcher.IncludeSubdirectories = isFolder;
            watcher.NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size;
            watcher.Changed += (_, change) => Tell(change.FullPath);
            watcher.Created += (_, change) => Tell(change.FullPath);
            watcher.Deleted += (_, change) => Tell(change.FullPath);
            watcher.Renamed += (_, change) =>
            {
                Tell(change.OldFullPath);
                Tell(change.FullPath);
            };

            // Its queue was full and something was lost: compare everything.
            watcher.Error += (_, _) => _events.Writer.TryWrite(true);
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception refused) when (refused is IOException or ArgumentException)
        {
            throw new CommandException(
                ExitCode.Failed, $"'{root}' cannot be watched: {refused.Message}", "Watch a smaller folder, or raise fs.inotify.max_user_watches and max_user_instances.");
        }
    }

    private void Tell(string path)
    {
        if (!IsIgnored(path))
        {
            _events.Writer.TryWrite(true);
        }
    }

    private bool IsIgnored(string path) => _roots.Any(root =>
        path.StartsWith(root, StringComparison.Ordinal)
        && path[root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries).Any(IsIgnoredName));

    private static bool IsIgnoredName(string name) => name.StartsWith('.') || _ignored.Contains(name, StringComparer.Ordinal);

    private Dictionary<string, Stamp> Scan(Dictionary<string, Stamp> before)
    {
        var found = new Dictionary<string, Stamp>(StringComparer.Ordinal);
        foreach (var file in _roots.SelectMany(Files).Where(_accepts))
        {
            if (found.Count >= MaxFiles)
            {
                throw new CommandException(ExitCode.WrongUsage, $"There are more than {MaxFiles} files to watch.", "Name a smaller folder.");
            }

            if (StampOf(file, before.GetValueOrDefault(file)) is { } stamp)
            {
                found[file] = stamp;
            }
        }

        return found;
    }

    private static IEnumerable<string> Files(string root)
    {
        if (File.Exists(root))
        {
            return [root];
        }

        var options = new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint };
        return Directory.Exists(root)
            ? Directory.EnumerateFiles(root, "*", options).Where(file => !Path.GetFileName(file).StartsWith('.'))
                .Concat(Directory.EnumerateDirectories(root, "*", options).Where(folder => !IsIgnoredName(Path.GetFileName(folder))).SelectMany(Files))
            : [];
    }

    /// <summary>Null if the file went away in this moment.</summary>
    private static Stamp? StampOf(string file, Stamp? before)
    {
        try
        {
            var info = new FileInfo(file);
            if (before is not null && before.Written == info.LastWriteTimeUtc && before.Length == info.Length)
            {
                return before;
            }

            var hash = info.Length > MaxHashedBytes ? $"{info.LastWriteTimeUtc.Ticks}" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
            return new Stamp(info.LastWriteTimeUtc, info.Length, hash);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Stamp(DateTime Written, long Length, string Hash);
}
