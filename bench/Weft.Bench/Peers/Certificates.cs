// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench.Peers;

/// <summary>An authority and two workload certificates (P-256), the same files for every peer.</summary>
internal sealed record Certificates(string Folder)
{
    public string Root => Path.Combine(Folder, "root.pem");

    public string Chain(string side) => Path.Combine(Folder, $"{side}.chain.pem");

    public string Key(string side) => Path.Combine(Folder, $"{side}.key.pem");

    /// <summary>haproxy wants chain and key in one file.</summary>
    public string Both(string side) => Path.Combine(Folder, $"{side}.both.pem");

    public static Certificates Create(string folder)
    {
        Directory.CreateDirectory(folder);
        var made = new Certificates(folder);
        var rootKey = Path.Combine(folder, "root.key.pem");
        Tool.Run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", rootKey);
        Tool.Run("openssl", "req", "-x509", "-new", "-key", rootKey, "-subj", "/O=bench", "-days", "2", "-out", made.Root,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign");
        foreach (var side in (string[])["client", "server"])
        {
            var request = Path.Combine(folder, $"{side}.csr");
            var extensions = Path.Combine(folder, $"{side}.ext");
            File.WriteAllText(extensions, $"subjectAltName=URI:spiffe://cluster.local/ns/bench/sa/{side},DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n");
            Tool.Run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", made.Key(side));
            Tool.Run("openssl", "req", "-new", "-key", made.Key(side), "-subj", $"/O=bench/CN={side}", "-out", request);
            Tool.Run("openssl", "x509", "-req", "-in", request, "-CA", made.Root, "-CAkey", rootKey, "-CAcreateserial",
                "-days", "1", "-extfile", extensions, "-out", made.Chain(side));
            File.WriteAllText(made.Both(side), File.ReadAllText(made.Chain(side)) + File.ReadAllText(made.Key(side)));
        }

        return made;
    }
}
