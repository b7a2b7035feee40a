/** Version of the package this bundle was built from. */
declare const __VOLO_VERSION__: string
