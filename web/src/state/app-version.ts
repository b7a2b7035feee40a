/** Version of the package that this bundle was built from, such as "0.1.0". */
export const APP_VERSION = __VOLO_VERSION__
