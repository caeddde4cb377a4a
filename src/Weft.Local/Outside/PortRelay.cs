// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Weft.Local.Outside;

/// <summary>
/// Opens the host ports that <c>forwards.json</c> asks for, on 127.0.0.1 and on addresses of their own, and leads their connections through
/// a Unix socket into the mesh. A port once opened keeps its number as long as its forward is wanted.
/// </summary>
public sealed partial class PortRelay : IDisposable
{
    /// <summary>More forwards than this are refused with a message.</summary>
    public const int MaxForwards = 256;

    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(250);

    private readonly MeshHome _home;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Dictionary<string, OpenedPort> _open = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<Forward> _fixed;
    private readonly OwnAddresses _own;
    private string _refused = "";

    /// <param name="alwaysOpen">Forwards that are there from the start whatever the file says, such as the API server's.</param>
    public PortRelay(MeshHome home, IReadOnlyList<Forward> alwaysOpen, TimeProvider time, ILogger log)
    {
        _home = home;
        _time = time;
        _log = log;
        _fixed = alwaysOpen;
        _own = new OwnAddresses(home, log);
        AtomicFile.Write(home.Forwards, """{"forwards":[]}""");
        Apply(alwaysOpen);
    }

    /// <summary>Called with every port that has been opened, after it was.</summary>
    public event Action<OpenPort>? Opening;

    /// <summary>What is open at this moment.</summary>
    public IReadOnlyList<OpenPort> OpenPorts
    {
        get
        {
            lock (_open)
            {
                return [.. _open.Values.Select(Describe)];
            }
        }
    }

    /// <summary>Follows the file until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(_lookAgain, _time);
        var seen = DateTime.MinValue;
        try
        {
            do
            {
                // The modification time and not inotify: a watch breaks when the file is replaced, and this costs one stat.
                var changed = File.GetLastWriteTimeUtc(_home.Forwards);
                if (changed != seen)
                {
                    seen = changed;
                    ReadAndApply();
                }
            }
            while (await timer.WaitForNextTickAsync(ct));
        }
        catch (OperationCanceledException)
        {
            // The end that the caller asked for.
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        lock (_open)
        {
            foreach (var opened in _open.Values)
            {
                opened.Dispose();
            }

            _open.Clear();
            _own.Dispose();
        }
    }

    private OpenPort Describe(OpenedPort opened) =>
        new(opened.Forward.Name, opened.Port, opened.Forward.Scheme) { OwnAddress = _own.Find(opened.Forward.Owner)?.ToString() ?? "" };

    private void ReadAndApply()
    {
        try
        {
            Apply([.. _fixed, .. Forward.Read(_home.Forwards)]);
        }
        catch (Exception e) when (e is FormatException or IOException)
        {
            LogUnreadable(_log, e.Message);
        }
    }

    private void Apply(IReadOnlyList<Forward> wanted)
    {
        if (wanted.Count > MaxForwards)
        {
            LogTooMany(_log, wanted.Count, MaxForwards);
            wanted = [.. wanted.Take(MaxForwards)];
        }

        var fresh = new List<OpenPort>();
        lock (_open)
        {
            var names = wanted.Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var (name, opened) in _open.Where(o => !names.Contains(o.Key)).ToArray())
            {
                opened.Dispose();
                _open.Remove(name);
            }

            foreach (var forward in wanted)
            {
                if (_open.TryGetValue(forward.Name, out var opened))
                {
                    opened.Forward = forward;
                }
                else if (TryOpen(forward) is { } added)
                {
                    _open.Add(forward.Name, added);
                    fresh.Add(Describe(added));
                }
            }

            _own.Apply(wanted);
            OpenPort.Write(_home.OpenPorts, _open.Values.Select(Describe));
        }

        foreach (var port in fresh)
        {
            Opening?.Invoke(port);
        }
    }

    private OpenedPort? TryOpen(Forward forward)
    {
        var opened = new OpenedPort(forward, _home);
        foreach (var port in forward.PreferredPorts.Append(0))
        {
            try
            {
                opened.Listen(new IPEndPoint(IPAddress.Loopback, port), _log);
                if (port == 0 && forward.PreferredPorts.Count > 0)
                {
                    LogOtherPort(_log, forward.Name, string.Join(", ", forward.PreferredPorts), opened.Port);
                }

                return opened;
            }
            catch (SocketException e)
            {
                _refused = e.Message;
            }
        }

        LogNoPort(_log, forward.Name, _refused);
        return null;
    }

    [LoggerMessage(5110, LogLevel.Warning, "Host ports cannot follow the mesh: {Reason}")]
    private static partial void LogUnreadable(ILogger log, string reason);

    [LoggerMessage(5111, LogLevel.Warning, "{Count} host ports are wanted and only the first {Max} are opened.")]
    private static partial void LogTooMany(ILogger log, int count, int max);

    [LoggerMessage(5112, LogLevel.Information, "For '{Name}' the host ports {Wanted} are taken; 127.0.0.1:{Port} is used.")]
    private static partial void LogOtherPort(ILogger log, string name, string wanted, int port);

    [LoggerMessage(5113, LogLevel.Warning, "No host port could be opened for '{Name}': {Reason}")]
    private static partial void LogNoPort(ILogger log, string name, string reason);
}
