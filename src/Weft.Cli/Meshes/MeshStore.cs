// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Weft.ApiServer.Storage;
using Weft.Cli.Output;
using Weft.Local;

namespace Weft.Cli.Meshes;

/// <summary><c>--store</c>: where a mesh keeps its objects when it is not its own file, and how each process of it hears of that.</summary>
internal static class MeshStore
{
    /// <summary>Set by <c>weft up</c> for the processes of its mesh; empty for the mesh's own file.</summary>
    public const string Variable = "WEFT_STORE";

    public static Option<string?> Option() => new("--store")
    {
        Description = "An etcd that keeps the objects: etcd://127.0.0.1:2379, or etcds://HOST:PORT?ca=FILE; default: the mesh's own file",
        HelpName = "url",
    };

    /// <summary>What the option or the variable says; null for the mesh's own file.</summary>
    public static StoreLocation? Parse(string? text)
    {
        try
        {
            return string.IsNullOrEmpty(text) ? null : StoreLocation.Parse(text);
        }
        catch (FormatException wrong)
        {
            throw new CommandException(ExitCode.WrongUsage, $"--store: {wrong.Message}");
        }
    }

    /// <summary>Refuses a store that does not answer, before anything is started that needs it.</summary>
    public static StoreLocation? Check(string? text)
    {
        var location = Parse(text);
        try
        {
            location?.Check();
        }
        catch (StoreException away)
        {
            throw new CommandException(ExitCode.Failed, away.Message);
        }

        return location;
    }

    /// <summary>The store that this mesh was started with, for the holder and the API server.</summary>
    public static StoreLocation? OfThisMesh() => Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The ways from inside the mesh to the store's members.</summary>
    public static IReadOnlyList<string> Sockets(MeshHome home, StoreLocation? location) =>
        [.. Enumerable.Range(0, location?.Endpoints.Count ?? 0).Select(home.StoreSocket)];
}
