// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;

namespace Weft.Local;

/// <summary>Where one mesh keeps its files: the folder <c>.weft</c> and every path in it.</summary>
public sealed class MeshHome
{
    /// <summary>A Unix socket's address holds 107 bytes and a zero.</summary>
    private const int MaxSocketPathBytes = 107;

    private const string LongestSocketName = "control.sock.new";

    private MeshHome(string root, string run)
    {
        Root = root;
        Run = run;
    }

    /// <summary>The folder itself, absolute.</summary>
    public string Root { get; }

    /// <summary>The folder of the sockets, links resolved: the path that fits a socket address.</summary>
    public string Run { get; }

    public string Kubeconfig => Path.Combine(Root, "kubeconfig");

    public string ApiSocket => Path.Combine(Run, "api.sock");

    public string ApiTlsSocket => Path.Combine(Run, "api-tls.sock");

    public string XdsSocket => Path.Combine(Run, "xds.sock");

    public string ControlSocket => Path.Combine(Run, "control.sock");

    public string NodeSocket => Path.Combine(Run, "node.sock");

    public string RelaySocket => Path.Combine(Run, "relay.sock");

    /// <summary>The packets between the pods of several machines.</summary>
    public string LinkSocket => Path.Combine(Run, "link.sock");

    /// <summary>Leads to one member of a store outside of the mesh.</summary>
    public string StoreSocket(int member) => Path.Combine(Run, $"store-{member}.sock");

    /// <summary>Which host ports are wanted and what they lead to; written inside, read outside.</summary>
    public string Forwards => Path.Combine(Root, "forwards.json");

    /// <summary>Which host ports were really opened; written outside, read inside and by <c>weft status</c>.</summary>
    public string OpenPorts => Path.Combine(Root, "ports.json");

    public string Logs => Path.Combine(Root, "logs");

    public string Pods => Path.Combine(Root, "pods");

    /// <summary>The folders of persistent volumes.</summary>
    public string Volumes => Path.Combine(Root, "volumes");

    public string Database => Path.Combine(Root, "data");

    public string Images => Path.Combine(Root, "images.yaml");

    /// <summary>Makes the folders that are missing, readable by their owner only, and returns the home.</summary>
    public static MeshHome Open(string root)
    {
        root = Path.GetFullPath(root);
        MakePrivate(root);
        var run = Path.Combine(root, "run");
        var link = new FileInfo(run).LinkTarget;
        if (link is not null)
        {
            // A link whose folder went away (a cleaned temporary directory) is made anew.
            MakePrivate(link);
            run = link;
        }
        else if (Encoding.UTF8.GetByteCount(Path.Combine(run, LongestSocketName)) > MaxSocketPathBytes)
        {
            var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)))[..12];
            var elsewhere = Path.Combine(Path.GetTempPath(), $"weft-{name}");
            MakePrivate(elsewhere);
            File.CreateSymbolicLink(run, elsewhere);
            run = elsewhere;
        }

        var home = new MeshHome(root, run);
        foreach (var folder in new[] { home.Run, home.Logs, home.Pods, home.Volumes, home.Database })
        {
            MakePrivate(folder);
        }

        return home;
    }

    private static void MakePrivate(string folder) =>
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
