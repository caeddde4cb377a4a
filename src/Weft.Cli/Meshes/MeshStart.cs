// SPDX-License-Identifier: Apache-2.0

using Weft.ApiServer.Storage;
using Weft.Cli.Output;
using Weft.Cli.Verbs;
using Weft.Local;

namespace Weft.Cli.Meshes;

/// <summary>The mesh that a command works with: one that runs already, or one that it starts itself and then is responsible for.</summary>
internal sealed class MeshStart : IDisposable
{
    private static readonly TimeSpan _partsLimit = TimeSpan.FromSeconds(60);

    private readonly HolderProcess? _holder;

    private MeshStart(MeshHome home, HolderProcess? holder)
    {
        Home = home;
        _holder = holder;
    }

    public MeshHome Home { get; }

    /// <summary>True if this command started it.</summary>
    public bool IsOwn => _holder is not null;

    /// <summary>Why the mesh that this command started has ended, if it has.</summary>
    public string? Failure => _holder?.Failure;

    /// <summary>Starts a mesh unless one runs. Not detached, it ends with this process, however that happens.</summary>
    /// <param name="store">Where a mesh that is started keeps its objects; null for its own file.</param>
    /// <param name="settings">Variables of the node (<see cref="NodeSettings"/>) if a mesh is started.</param>
    public static MeshStart Open(bool detach, StoreLocation? store = null, IReadOnlyDictionary<string, string>? settings = null)
    {
        var home = MeshPlace.Open();
        if (UpRecord.Read(home) is { IsAlive: true })
        {
            return store is null
                ? new MeshStart(home, null)
                : throw new CommandException(
                    ExitCode.WrongUsage, $"A mesh is running already in '{home.Root}', and --store belongs to the start of one.", "Leave it out, or run weft down first.");
        }

        ProgramPath.RequireProxy();
        UpRecord.Remove(home);
        return new MeshStart(home, HolderProcess.Start(home, lifeline: !detach, store, settings ?? new Dictionary<string, string>(StringComparer.Ordinal)));
    }

    /// <summary>Waits for the parts of a mesh that was just started; one that runs already is taken as it is.</summary>
    public async Task<Readiness> WaitForPartsAsync(Phases phases, TimeProvider clock, CancellationToken ct)
    {
        var readiness = new Readiness(Home, phases, clock, () => Failure);
        if (IsOwn)
        {
            await readiness.WaitForPartsAsync(_partsLimit, ct);
        }

        return readiness;
    }

    /// <summary>Completes when the mesh that this command started ends; never for another's.</summary>
    public Task WaitForEndAsync(CancellationToken ct) => _holder?.WaitAsync(ct) ?? Task.Delay(Timeout.InfiniteTimeSpan, ct);

    /// <summary>Stops the mesh if this command started it.</summary>
    public async Task StopOwnAsync(Terminal terminal, TimeProvider clock)
    {
        if (IsOwn)
        {
            await DownVerb.DownAsync(purge: false, terminal, clock, CancellationToken.None);
        }
    }

    public void Dispose() => _holder?.Dispose();
}
