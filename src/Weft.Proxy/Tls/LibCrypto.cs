// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Tls;

/// <summary>OpenSSL's authenticated ciphers, by which records are sealed and opened.</summary>
internal static unsafe partial class LibCrypto
{
    internal const int GetTag = 0x10;
    internal const int SetTag = 0x11;

    private const string Crypto = "libcrypto.so.3";

    [LibraryImport(Crypto, EntryPoint = "EVP_CIPHER_fetch", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint FetchCipher(nint library, string name, nint properties);

    [LibraryImport(Crypto, EntryPoint = "EVP_CIPHER_CTX_new")]
    internal static partial nint NewContext();

    /// <summary>Wipes the keys as well.</summary>
    [LibraryImport(Crypto, EntryPoint = "EVP_CIPHER_CTX_free")]
    internal static partial void FreeContext(nint context);

    /// <param name="context">What is begun anew.</param>
    /// <param name="cipher">0 keeps the one it has.</param>
    /// <param name="engine">0.</param>
    /// <param name="key">Null keeps the one it has.</param>
    /// <param name="nonce">Null where only the key is set.</param>
    /// <param name="seal">1 to seal, 0 to open.</param>
    [LibraryImport(Crypto, EntryPoint = "EVP_CipherInit_ex")]
    internal static partial int Begin(nint context, nint cipher, nint engine, byte* key, byte* nonce, int seal);

    /// <summary>Without output the input is only authenticated.</summary>
    [LibraryImport(Crypto, EntryPoint = "EVP_CipherUpdate")]
    internal static partial int Update(nint context, byte* output, int* written, byte* input, int length);

    [LibraryImport(Crypto, EntryPoint = "EVP_CipherFinal_ex")]
    internal static partial int End(nint context, byte* output, int* written);

    [LibraryImport(Crypto, EntryPoint = "EVP_CIPHER_CTX_ctrl")]
    internal static partial int Control(nint context, int command, int length, byte* value);
}
