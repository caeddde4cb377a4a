// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Output;
using Weft.Kubernetes;
using Weft.Local;

namespace Weft.Cli.Meshes;

/// <summary>Finds the mesh that a command is about: <c>$WEFT_HOME</c>, else the <c>.weft</c> of this folder or one above it.</summary>
internal static class MeshPlace
{
    public const string HomeVariable = "WEFT_HOME";
    private const string FolderName = ".weft";

    public static MeshHome Open()
    {
        var root = Find();
        try
        {
            return MeshHome.Open(root);
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new CommandException(
                ExitCode.Failed,
                $"The mesh's folder '{root}' cannot be written: {refused.Message}",
                $"Name another one:  export {HomeVariable}=$HOME/.weft");
        }
    }

    /// <summary>The mesh that runs there; ends the command if none does.</summary>
    public static (MeshHome Home, UpRecord Up) Running()
    {
        var root = Find();
        // Asking must not make folders.
        if (Directory.Exists(root))
        {
            var home = Open();
            if (UpRecord.Read(home) is { IsAlive: true } up)
            {
                return (home, up);
            }
        }

        throw new CommandException(ExitCode.NoMesh, $"No mesh is running ({root}).", "Start one:  weft up    or with something in it:  weft up examples/shop");
    }

    public static KubernetesClient Connect(MeshHome home) => new("unix:" + home.ApiSocket);

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable(HomeVariable) is { Length: > 0 } named)
        {
            return Path.GetFullPath(named);
        }

        var start = Directory.GetCurrentDirectory();
        for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var candidate = Path.Combine(folder, FolderName);
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return Path.Combine(start, FolderName);
    }
}
