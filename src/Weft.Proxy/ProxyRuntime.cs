// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http2;
using Weft.Proxy.Admin;
using Weft.Proxy.Authorization;
using Weft.Proxy.Io;
using Weft.Proxy.Life;
using Weft.Proxy.Listeners;
using Weft.Proxy.Names;
using Weft.Proxy.Overload;
using Weft.Proxy.Stacks;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tls;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy;

/// <summary>
/// A running data plane: its loops, the plan and the identity in force. Its methods may be called from any thread; each loop takes a change
/// over between two of its ticks.
/// </summary>
internal sealed class ProxyRuntime : IDisposable
{
    /// <summary>Idle connections that a loop closes at one check while it is overloaded.</summary>
    internal const int IdleClosedPerCheck = 256;

    /// <summary>A connection to a server that was used more recently is likely to be used again at once.</summary>
    private const int SpareIdleMs = 1000;

    private readonly ProxyLoop[] _loops;
    private readonly Thread[] _threads;
    private readonly LoopListeners[] _listeners;
    private readonly SharedClusters _clusters;
    private readonly Lock _gate = new();
    private readonly NameWatch _names;
    private bool _isDisposed;
    private readonly Action<string>? _tell;
    private LoadedPlan _plan;
    private TlsMaterial? _material;

    internal ProxyRuntime(ProxyOptions options)
    {
        _tell = options.Tell;
        _loops = new ProxyLoop[options.Loops];
        _threads = new Thread[options.Loops];
        _listeners = new LoopListeners[options.Loops];
        _clusters = new SharedClusters(options.Loops, options.Clock, options.Tell);
        _names = new NameWatch(new NameResolver(options.Names with { Mark = options.Mark }), options.Clock, Renew);
        _plan = new LoadedPlan(ProxyPlan.Empty, _clusters);
        for (var i = 0; i < _loops.Length; i++)
        {
            var events = LoopFactory.Create(options.Io, new LoopSettings(options.Clock, options.Mark), out var fallback);
            IoName = events.Name;
            IoFallback = fallback;
            var settings = new ProxySettings(
                options.Clock, options.Workload, options.Log?.Loops[i], _plan, options.ConnectionsPerEndpoint, options.ListenerDrainMs, options.Clients);
            var loop = new ProxyLoop(i, events, settings, new Random(options.Seed + i));
            loop.Adopt(_plan);
            events.Faulted = fault => options.Faulted?.Invoke(fault);
            _loops[i] = loop;
            _listeners[i] = new LoopListeners(loop);
            _threads[i] = new Thread(events.Run, 1024 * 1024) { Name = $"loop {i}", IsBackground = true };
        }
    }

    /// <summary>The back end in use, and why it is not the better one.</summary>
    internal string IoName { get; } = "";

    internal string? IoFallback { get; }

    /// <summary>How often each rule of the plan's policies decided.</summary>
    internal AccessCounters Access => Volatile.Read(ref _plan).Access.Counters;

    internal ProxyPlan Plan => Volatile.Read(ref _plan).Plan;

    /// <summary>Whose connections are asked to end.</summary>
    internal DrainScope Draining { get; private set; }

    /// <summary>Open client connections of all loops; an estimate while they run.</summary>
    internal int OpenConnections
    {
        get
        {
            var open = 0;
            foreach (var loop in _loops)
            {
                open += loop.Connections.Count;
            }

            return open;
        }
    }

    /// <summary>Open connections to both sides of all loops; an estimate while they run.</summary>
    internal int OpenChannels => _loops.Sum(loop => loop.Events.OpenChannels);

    /// <summary>The longest round of any loop since this was asked last, in milliseconds.</summary>
    internal int TakeLongestRoundMs() => _loops.Max(loop => loop.Events.TakeLongestRoundMs());

    /// <summary>Calls what it is given when a loop next has something to do: once for each loop, on the loop's thread.</summary>
    internal void TellOfWork(Action tell)
    {
        foreach (var loop in _loops)
        {
            loop.Events.TellOfWork(tell);
        }
    }

    /// <summary>HBONE connections of all loops to other workloads; an estimate while they run.</summary>
    internal int TunnelConnections
    {
        get
        {
            var open = 0;
            foreach (var loop in _loops)
            {
                open += loop.Connector.Tunnels!.Count;
            }

            return open;
        }
    }

    /// <summary>The loops' metrics; may be read at any time.</summary>
    /// <summary>What the loops' HTTP/2 connections count in.</summary>
    internal IReadOnlyCollection<Http2Pool> Http2Pools => [.. _loops.Select(loop => loop.Http2)];

    internal IEnumerable<LoopMetrics> Metrics => _loops.Select(loop => loop.Metrics);

    internal IEnumerable<LifeCounters> Life => _loops.Select(loop => loop.Life);

    internal void Start()
    {
        foreach (var thread in _threads)
        {
            thread.Start();
        }
    }

    /// <summary>
    /// Puts a plan in force for everything that begins from now on. Returns what is wrong with it, in which case the plan in force stays;
    /// null when every loop serves it.
    /// </summary>
    internal string? Apply(ProxyPlan plan)
    {
        _names.Follow(plan);
        lock (_gate)
        {
            var problem = Load(plan);
            _names.Keep(Plan);
            return problem;
        }
    }

    /// <summary>The plan is the same, and names of it have other addresses.</summary>
    private void Renew()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                Load(Plan);
            }
        }
    }

    private string? Load(ProxyPlan plan)
    {
        LoadedPlan loaded;
        try
        {
            loaded = new LoadedPlan(plan, _clusters, _names, _plan);
        }
        catch (FormatException problem)
        {
            return problem.Message;
        }

        // Ports first: a plan whose listeners cannot be had is refused as a whole.
        var problems = OnEveryLoop(i => _listeners[i].TryOpen(loaded));
        if (problems is not null)
        {
            OnEveryLoop(i =>
            {
                _listeners[i].Keep(_plan);
                return null;
            });
            return problems;
        }

        foreach (var words in loaded.Credentials == _plan.Credentials ? [] : loaded.Credentials.Problems)
        {
            _tell?.Invoke(words);
        }

        _clusters.Adopt(loaded.Clusters);
        Volatile.Write(ref _plan, loaded);
        return OnEveryLoop(i =>
        {
            _loops[i].Adopt(loaded);
            _listeners[i].Keep(loaded);
            return null;
        });
    }

    /// <summary>Uses an identity for every handshake from now on; open connections go on. Returns what is wrong with it, or null.</summary>
    internal string? ApplyIdentity(string chainPem, string keyPem, string rootsPem)
    {
        try
        {
            var material = TlsMaterial.Parse(chainPem, keyPem, rootsPem);
            lock (_gate)
            {
                _material = material;
                return OnEveryLoop(i =>
                {
                    _loops[i].Contexts.Use(material);
                    return null;
                });
            }
        }
        catch (TlsException problem)
        {
            return problem.Message;
        }
    }

    internal bool HasIdentity => Volatile.Read(ref _material) is not null;

    /// <summary>Adds a line for each figure of each endpoint, as Envoy's /clusters does.</summary>
    internal void DescribeClusters(StringBuilder text)
    {
        // After a turn of every loop the figures are those of now.
        OnEveryLoop(_ => null);
        foreach (var cluster in _clusters.All)
        {
            ClustersPage.Add(text, cluster);
        }
    }

    /// <summary>The clusters of the plan in force, for metrics; may be read at any time.</summary>
    internal IReadOnlyList<SharedCluster> Clusters => _clusters.All;

    /// <summary>
    /// Asks the connections of the directions to end, and those that still come: HTTP/1.1 answers carry <c>connection: close</c>.
    /// <see cref="DrainScope.None"/> asks no more of them; those that were asked end all the same.
    /// </summary>
    internal void Drain(DrainScope scope)
    {
        lock (_gate)
        {
            Draining = scope;
            OnEveryLoop(i =>
            {
                _loops[i].Connections.Drain(scope);
                return null;
            });
        }
    }

    /// <summary>Takes no more connections in the directions, for good, whatever plan comes.</summary>
    internal void CloseListeners(DrainScope scope)
    {
        lock (_gate)
        {
            OnEveryLoop(i =>
            {
                _listeners[i].Close(scope);
                return null;
            });
        }
    }

    /// <summary>Plans that come use the predecessor's listening sockets, where it has them; null ends that.</summary>
    internal void Inherit(Predecessor? predecessor)
    {
        lock (_gate)
        {
            foreach (var listeners in _listeners)
            {
                listeners.Predecessor = predecessor;
            }
        }
    }

    /// <summary>Copies of every loop's listening sockets, for a successor; each is the caller's.</summary>
    internal IReadOnlyList<ListeningSocket> CopySockets()
    {
        var copies = new List<ListeningSocket>();
        OnEveryLoop(i =>
        {
            lock (copies)
            {
                copies.AddRange(_listeners[i].CopySockets());
            }

            return null;
        });
        return copies;
    }

    /// <summary>Gives up what the levels say, until it is called with lower ones.</summary>
    internal void Give(OverloadLevels levels) => OnEveryLoop(i =>
    {
        var loop = _loops[i];
        loop.Overload = levels.Work;
        _listeners[i].Pause(levels.Highest >= OverloadLevel.NewWork);
        if (levels.Descriptors >= OverloadLevel.NewWork)
        {
            loop.Pools.CloseIdle(SpareIdleMs);
        }

        if (levels.Highest >= OverloadLevel.IdleConnections)
        {
            // A part at a time: closing many at once would itself be a burst of work.
            loop.Pools.CloseIdle(0);
            loop.Life.CountIdleClosed(loop.Connections.CloseIdle(IdleClosedPerCheck));
        }

        return null;
    });

    /// <summary>Connections in the middle of a request, a handshake or a tunnel.</summary>
    internal int CountBusy()
    {
        var busy = 0;
        OnEveryLoop(i =>
        {
            Interlocked.Add(ref busy, _loops[i].Connections.CountBusy());
            return null;
        });
        return busy;
    }

    public void Dispose()
    {
        _names.Dispose();
        lock (_gate)
        {
            _isDisposed = true;
        }

        for (var i = 0; i < _loops.Length; i++)
        {
            var loop = _loops[i];
            if (_threads[i].IsAlive)
            {
                loop.Events.Post(loop.Connections.ShutAll);
                loop.Events.Stop();
                _threads[i].Join();
            }

            loop.Dispose();
        }
    }

    /// <summary>Runs work on every loop's own thread and waits for all of it; the first problem is returned.</summary>
    internal string? OnEveryLoop(Func<int, string?> work)
    {
        using var done = new CountdownEvent(_loops.Length);
        var problems = new string?[_loops.Length];
        for (var i = 0; i < _loops.Length; i++)
        {
            var index = i;
            void Run()
            {
                try
                {
                    problems[index] = work(index);
                }
                catch (Exception failure) when (failure is IoException or TlsException)
                {
                    problems[index] = failure.Message;
                }
                finally
                {
                    done.Signal();
                }
            }

            if (_threads[i].IsAlive)
            {
                _loops[i].Events.Post(Run);
            }
            else
            {
                Run();
            }
        }

        done.Wait();
        return Array.Find(problems, problem => problem is not null);
    }
}

/// <summary>How a proxy runs.</summary>
internal sealed record ProxyOptions
{
    internal int Loops { get; init; } = 1;

    internal IoChoice Io { get; init; } = IoChoice.Auto;

    /// <summary>SO_MARK of every socket; 0 where nothing is captured.</summary>
    internal int Mark { get; init; } = SocketSettings.MeshMark;

    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where the loops' randomness begins.</summary>
    internal int Seed { get; init; } = Environment.TickCount;

    internal WorkloadNamePlan Workload { get; init; } = new("", "", "", "", "", "", "", "");

    /// <summary>Open connections of one loop to one endpoint; above this requests wait for one.</summary>
    internal int ConnectionsPerEndpoint { get; init; } = 16_384;

    /// <summary>How many clients may be connected, to all loops together.</summary>
    internal ClientLimit Clients { get; init; } = new(0);

    /// <summary>How long connections get whose listener or chain is gone from the plan (Istio's drainDuration).</summary>
    internal int ListenerDrainMs { get; init; } = 45_000;

    /// <summary>Made for as many loops; null for none.</summary>
    internal AccessLog? Log { get; init; }

    /// <summary>Where names of endpoints are looked up.</summary>
    internal NameSettings Names { get; init; } = NameSettings.Default;

    /// <summary>Told of defects met while serving one connection.</summary>
    internal Action<Exception>? Faulted { get; init; }

    /// <summary>Told, on any thread, of what operators want to read in the log, such as an endpoint's ejection.</summary>
    internal Action<string>? Tell { get; init; }
}
